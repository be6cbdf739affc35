// The open channel: its members, and its messages as they come.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { Icon } from "../shell/icons.js";
import { usePoll } from "../shell/poll.js";
import { hashOf } from "../shell/route.js";
import { distinctTitle, plural, sessionTitle } from "../text/format.js";
import { ChannelTalk } from "./talk.js";

/** Milliseconds. */
const INTERVAL = 3000;

/** Sessions among which members are looked for. */
const LOOKED_AT = 500;

/** @param {{channel: any, onChanged: () => void, onDelete: () => void}} props */
export function ChannelPane({ channel, onChanged, onDelete }) {
  const { gate, toasts } = useDesk();
  const [sessions, setSessions] = useState(/** @type {any[]} */ ([]));
  const ask = usePoll(
    async () => setSessions((await gate.command("session.list", { limit: LOOKED_AT, order: "newest" })).sessions),
    INTERVAL,
    [channel.name],
  );
  const change = async (/** @type {"channel.join" | "channel.leave"} */ command, /** @type {any} */ session) => {
    try {
      await gate.command(command, { name: channel.name, session_id: session.session_id });
      toasts.done(`${sessionTitle(session)} has ${command === "channel.join" ? "joined" : "left"} ${channel.name}.`);
    } catch (error) {
      toasts.failed(`${sessionTitle(session)} could not ${command === "channel.join" ? "join" : "leave"}`, error);
    }
    ask();
    onChanged();
  };
  const members = sessions.filter((session) => session.channels.includes(channel.name));
  const others = sessions.filter((session) => !session.channels.includes(channel.name) && session.access !== "read");
  return html`<section class="card channel-pane" aria-label=${`Channel ${channel.name}`} data-channel=${channel.name}>
    <header class="channel-head">
    <a class="button button-icon button-quiet channel-back" href=${hashOf("channels")} aria-label="All channels">
    <${Icon} name="back" /></a><h2><span class="muted" aria-hidden="true">#</span>${channel.name}</h2>
      <button class="button button-icon button-quiet" aria-label=${`Delete channel ${channel.name}`}
      title=${channel.owned ? "Delete channel" : "Only who made it, or an operator, may delete it."} disabled=${!channel.owned}
        onClick=${onDelete}><${Icon} name="trash" /></button></header>
    <${Members} members=${members} others=${others} count=${channel.members}
    onJoin=${(/** @type {any} */ session) => change("channel.join", session)} onLeave=${(/** @type {any} */ session) => change("channel.leave", session)} />
    <${ChannelTalk} channel=${channel} members=${members} />
  </section>`;
}

/** @param {{members: any[], others: any[], count: number, onJoin: (session: any) => void, onLeave: (session: any) => void}} props */
function Members({ members, others, count, onJoin, onLeave }) {
  const [chosen, setChosen] = useState("");
  const joiner = others.find((session) => session.session_id === chosen);
  const hidden = count - members.length;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (joiner) onJoin(joiner);
  };
  return html`<div class="members"><h3>${plural(count, "member")}</h3>
    <ul class="chips">${members.map(
      (
        session,
      ) => html`<li key=${session.session_id} class="tag member"><a href=${hashOf("chat", session.session_id)}>
        ${sessionTitle(session)}</a>
      ${session.access !== "read" && html`<button class="button button-icon button-quiet"
      aria-label=${`${sessionTitle(session)} leaves`} title="Leave" onClick=${() => onLeave(session)}>
        <${Icon} name="close" size=${14} /></button>`}</li>`,
    )}
      ${hidden > 0 && html`<li class="muted">
      ${members.length ? `and ${hidden} that you do not see here` : `${hidden} that you do not see here`}</li>`}</ul>
    <form class="join" onSubmit=${submit}><label class="visually-hidden" for="joiner">Session that joins</label>
      <select id="joiner" class="input" value=${joiner ? chosen : ""} disabled=${others.length === 0}
      onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
        <option value="">${others.length ? "Let a session join…" : "No other session"}</option>
        ${others.map((session) => html`<option key=${session.session_id} value=${session.session_id}>
        ${distinctTitle(session, others)}</option>`)}</select>
      <button class="button" type="submit" disabled=${!joiner}>Join</button></form></div>`;
}
