// Watching a session, so that its events are among the frames.
import { html } from "../html.js";
import { useEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { Field } from "../dialogs/field.js";
import { ClientSlot } from "../gate/client_slot.js";
import { gone } from "../gate/gate.js";
import { usePoll } from "../shell/poll.js";
import { Icon } from "../shell/icons.js";
import { distinctTitle, sessionTitle } from "../text/format.js";

/** Milliseconds between looks at which sessions there are. */
const INTERVAL = 10_000;

export function WatchForm() {
  const { gate, toasts } = useDesk();
  const [sessions, setSessions] = useState(/** @type {any[]} */ ([]));
  const [chosen, setChosen] = useState("");
  const [from, setFrom] = useState("start");
  const [watched, setWatched] = useState(/** @type {string | null} */ (null));
  const slot = useRef(new ClientSlot()).current;
  usePoll(
    async () => setSessions((await gate.command("session.list", { limit: 100, order: "newest" })).sessions),
    INTERVAL,
    [],
  );
  const session = sessions.find((each) => each.session_id === chosen);
  const stop = () => {
    slot.close();
    setWatched(null);
  };
  useEffect(() => stop, []);
  const watch = async (/** @type {Event} */ event) => {
    event.preventDefault();
    stop();
    if (!session) return;
    const fail = (/** @type {unknown} */ error) => toasts.failed("The session could not be watched", error);
    try {
      const replay = from === "start" ? { lastSeq: 0, epoch: session.epoch, replay: "exact" } : {};
      const opened = await slot.open(() => gate.openIn("watch", chosen, replay, () => fail(gone())));
      if (!opened) return;
      opened.on("closed", () => slot.client === opened && stop());
      setWatched(sessionTitle(session));
    } catch (error) {
      fail(error);
    }
  };
  const lack = gate.permissions.value.lack("session.list");
  if (lack) return html`<p class="note"><span>No session can be chosen to watch. ${lack}</span></p>`;
  return html`<form class="watch-form" onSubmit=${watch} aria-label="Watch a session">
    <${Field} isInline label="Session">${(
      /** @type {object} */ own,
    ) => html`<select class="input" ...${own} value=${session ? chosen : ""}
      onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
        <option value="">Choose a session…</option>
        ${sessions.map((each) => html`<option key=${each.session_id} value=${each.session_id}>
        ${distinctTitle(each, sessions)}</option>`)}
      </select>`}</${Field}>
    <${Field} isInline label="from">
    ${(/** @type {object} */ own) => html`<select class="input" ...${own} value=${from}
    onChange=${(/** @type {any} */ event) => setFrom(event.target.value)}><option value="start">the log's beginning</option>
      <option value="now">now</option></select>`}</${Field}>
    <button class="button" type="submit" disabled=${!session}><${Icon} name="eye" size=${16} />Watch</button>
    ${watched !== null && html`<span class="watching" role="status"><span class="dot" data-state="running" aria-hidden="true">
    </span>Watching ${watched}</span><button type="button" class="button button-quiet" onClick=${stop}>Stop</button>`}
  </form>`;
}
