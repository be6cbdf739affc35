// Where a message is written; it says why it cannot be, where it cannot.
import { html } from "../html.js";
import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { Icon } from "../shell/icons.js";

/** Pixels: about eight lines. */
const MAX_HEIGHT = 220;

/**
 * @param {{
 *   stream: import("./session_stream.js").SessionStream, reason: string | null,
 *   isRunning: boolean, canAbort: boolean, onAbort: () => void, onSent: () => void,
 *   given: {text: string} | null,
 * }} props *reason*: why nothing may be said; *given*: a text to begin with, such as one that was refused.
 */
export function Composer({ stream, reason, isRunning, canAbort, onAbort, onSent, given }) {
  const { shortcuts } = useDesk();
  const [text, setText] = useState(stream.words.draft);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const write = (/** @type {string} */ next) => {
    setText(next);
    stream.words.draft = next;
  };
  useEffect(() => {
    // On a touch screen that would open its keyboard over the conversation.
    if (matchMedia("(hover: hover)").matches) field.current?.focus({ preventScroll: true });
    return shortcuts.add("c", () => field.current?.focus());
  }, []);
  useEffect(() => {
    if (!given) return;
    write(given.text);
    field.current?.focus();
  }, [given]);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);
  const isEmpty = text.trim() === "";
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (isEmpty || reason) return;
    stream.send(text.replace(/\s+$/, ""));
    write("");
    onSent();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`<form class="composer" onSubmit=${send} data-state=${reason ? "disabled" : "ready"}>
    <div class="composer-box">
      <label class="visually-hidden" for="message">Message</label>
      <textarea id="message" ref=${field} rows="1" value=${text} disabled=${reason !== null} aria-describedby="composer-hint"
        placeholder=${reason ?? "Write to the agent"} onInput=${(/** @type {any} */ event) => write(event.target.value)}
          onKeyDown=${onKeyDown}></textarea>
      ${isRunning && canAbort && html`<button type="button" class="button button-stop" title="Abort the answer (Esc)"
      onClick=${onAbort}><${Icon} name="stop" size=${16} /><span>Abort</span></button>`}
      <button type="submit" class="button button-primary button-send"
      aria-label=${isRunning ? "Send, to be answered next" : "Send"}
        title=${isRunning ? "Send, to be answered next" : "Send (Enter)"} disabled=${isEmpty || reason !== null}>
          <${Icon} name="send" /></button>
    </div>
    <p class=${reason ? "visually-hidden" : "composer-hint"} id="composer-hint">
    ${reason ?? html`<kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a new line${isRunning && html`, <kbd>Esc</kbd> aborts`}`}</p>
  </form>`;
}
