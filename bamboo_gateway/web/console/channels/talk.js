// What is said in a channel, heard and spoken through a session that has joined it.
import { html } from "../html.js";
import { useEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { useScroller } from "../chat/scroller.js";
import { Failure } from "../dialogs/ask.js";
import { Field } from "../dialogs/field.js";
import { ClientSlot } from "../gate/client_slot.js";
import { gone } from "../gate/gate.js";
import { Icon } from "../shell/icons.js";
import { clock, distinctTitle, moment, sessionTitle } from "../text/format.js";
import { withEvent } from "./channel_messages.js";

/** @typedef {import("./channel_messages.js").Line} Line */

/** @param {{channel: any, members: any[]}} props */
export function ChannelTalk({ channel, members }) {
  const [chosen, setChosen] = useState("");
  const through = members.find((session) => session.session_id === chosen) ?? members[0];
  if (!through)
    return html`<div class="talk-none muted"><${Icon} name="info" /><p>Let a session join, to hear and to speak through it.</p>
      </div>`;
  return html`<div class="through"><${Field} isInline label="Heard through">
    ${(/** @type {object} */ own) => html`<select class="input" ...${own} value=${through.session_id}
    onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
      ${members.map((session) => html`<option key=${session.session_id} value=${session.session_id}>
      ${distinctTitle(session, members)}</option>`)}</select>`}</${Field}></div>
    <${Talk} key=${through.session_id} name=${channel.name} session=${through} />`;
}

/** @param {{name: string, session: any}} props */
function Talk({ name, session }) {
  const { lines, error } = useChannel(name, session);
  const scroller = useScroller(lines, 0, () => {});
  return html`<${Failure} error=${error} />
    <div class="talk" ref=${scroller.element} onScroll=${scroller.onScroll} tabindex="0" role="log"
    aria-label=${`Messages of ${name}`}>
      <ol>${lines.length === 0 && html`<li
      class="muted talk-quiet">Nothing was said yet.</li>`}${lines.map((line) => html`<${LineView} key=${line.key}
        line=${line} />`)}</ol></div>
    <${Speak} name=${name} session=${session} />`;
}

/** The channel's messages, from the beginning of its log. @param {string} name @param {any} session */
function useChannel(name, session) {
  const { gate } = useDesk();
  const [lines, setLines] = useState(/** @type {readonly Line[]} */ ([]));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  useEffect(() => {
    const slot = new ClientSlot();
    const listen = async () => {
      const options = { epoch: session.epoch, channels: { [name]: 0 } };
      try {
        const client = await slot.open(() =>
          gate.openIn("channel", session.session_id, options, () => setError(gone())),
        );
        client?.on("*", (event) => setLines((now) => withEvent(now, event, name)));
      } catch (failure) {
        setError(failure);
      }
    };
    void listen();
    return () => slot.close();
  }, [name, session.session_id]);
  return { lines, error };
}

/** @param {{line: Line}} props */
function LineView({ line }) {
  if (line.kind === "gap")
    return html`<li class="gap-note"><${Icon} name="gap" size=${16} /><span>${line.content}</span></li>`;
  return html`<li class="talk-line"><span class="talk-who" title=${line.sessionId}>${line.who}</span>
    ${line.ts !== null && html`<time class="muted" datetime=${new Date(line.ts).toISOString()} title=${moment(line.ts)}>
    ${clock(line.ts, Date.now())}</time>`}<p>${line.content}</p></li>`;
}

/** @param {{name: string, session: any}} props */
function Speak({ name, session }) {
  const { gate, toasts } = useDesk();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim() || busy) return;
    setBusy(true);
    try {
      await gate.command("channel.send", { name, content: text, session_id: session.session_id });
      setText("");
    } catch (error) {
      toasts.failed("The message was not sent", error);
    }
    setBusy(false);
    field.current?.focus();
  };
  const lack = session.access === "read" ? "Shared with you to read." : null;
  return html`<form class="speak" onSubmit=${send}><label class="visually-hidden" for="speak">Message to the channel</label>
    <input id="speak" ref=${field} class="input" autocomplete="off"
    placeholder=${lack ?? `Say something as ${sessionTitle(session)}`} disabled=${lack !== null} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
    <button class="button button-primary" type="submit" disabled=${!text.trim() || busy || lack !== null}>Send</button></form>`;
}
