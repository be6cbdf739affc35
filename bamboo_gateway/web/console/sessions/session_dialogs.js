// The dialogs that change a session: its name, with whom it is shared, or that it is at all.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { AskName, Confirm, Failure } from "../dialogs/ask.js";
import { Dialog } from "../dialogs/dialog.js";
import { Field } from "../dialogs/field.js";
import { Icon } from "../shell/icons.js";
import { plural, sessionTitle } from "../text/format.js";

/** @typedef {{session: any, onClose: () => void, onDone: (changed: any) => void}} Props */

/** @param {{onClose: () => void, onDone: (session: any) => void}} props */
export function CreateDialog({ onClose, onDone }) {
  const { gate } = useDesk();
  const create = async (/** @type {string} */ name) =>
    onDone(await gate.command("session.create", name ? { name } : {}));
  return html`<${AskName} title="New session" label="Name" hint="Optional. It can be given or changed at any time."
    action="Create" onClose=${onClose} onSubmit=${create} />`;
}

/** @param {Props} props */
export function RenameDialog({ session, onClose, onDone }) {
  const { gate } = useDesk();
  const rename = async (/** @type {string} */ name) => {
    onDone(await gate.command("session.rename", { session_id: session.session_id, name: name || null }));
    onClose();
  };
  return html`<${AskName} title="Rename session" label="Name" hint="Leave it empty to take the name away."
    value=${session.name ?? ""} action="Rename" onClose=${onClose} onSubmit=${rename} />`;
}

/** @param {Props} props */
export function DeleteDialog({ session, onClose, onDone }) {
  const { gate, toasts } = useDesk();
  const remove = async () => {
    await gate.command("session.delete", { session_id: session.session_id });
    toasts.done(`${sessionTitle(session)} was deleted.`);
    onClose();
    onDone(null);
  };
  const effects = [
    session.state === "running" && "its running turn is cancelled",
    session.queued > 0 && `${plural(session.queued, "waiting chat")} will not be answered`,
    session.watchers > 0 && `${plural(session.watchers, "watcher")} will be told`,
  ].filter(Boolean);
  return html`<${Confirm} title="Delete session?" action="Delete session" onClose=${onClose} onConfirm=${remove}>
    <p><strong>${sessionTitle(session)}</strong> and its whole conversation will be gone for good${effects.length > 0 && html`; ${effects.join(", ")}`}.</p>
  </${Confirm}>`;
}

/** @param {Props} props */
export function ShareDialog({ session, onClose, onDone }) {
  const { gate } = useDesk();
  const [userId, setUserId] = useState("");
  const [access, setAccess] = useState("chat");
  const [failure, setFailure] = useState(/** @type {unknown} */ (null));
  const grant = async (/** @type {string} */ to, /** @type {string | null} */ what) => {
    setFailure(null);
    try {
      onDone(await gate.command("session.share", { session_id: session.session_id, user_id: to, access: what }));
      setUserId("");
    } catch (error) {
      setFailure(error);
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (userId.trim()) void grant(userId.trim(), access);
  };
  const shares = Object.entries(session.shares ?? {});
  return html`<${Dialog} title="Share session" onClose=${onClose}>
    <div class="stack">
      <p class="muted">Others see this session in their list, and read it or chat in it. What is said counts as yours.</p>
      ${
        shares.length > 0 &&
        html`<ul class="share-list">${shares.map(
          ([
            who,
            what,
          ]) => html`<li key=${who}><span><strong>${who}</strong> <span class="tag">
            ${what === "chat" ? "may chat" : "may read"}</span></span>
          <button class="button button-icon button-quiet" aria-label=${`No longer share with ${who}`}
          onClick=${() => void grant(who, null)}><${Icon} name="close" size=${16} /></button></li>`,
        )}</ul>`
      }
      <form class="share-form" onSubmit=${submit}>
        <${Field} label="User id">
        ${(/** @type {object} */ own) => html`<input class="input" ...${own} autocomplete="off" maxlength="256" autofocus
        value=${userId} onInput=${(/** @type {any} */ event) => setUserId(event.target.value)} />`}</${Field}>
        <${Field} label="They may">
        ${(/** @type {object} */ own) => html`<select class="input" ...${own} value=${access}
        onChange=${(/** @type {any} */ event) => setAccess(event.target.value)}><option value="chat">read and chat</option>
          <option value="read">read</option></select>`}</${Field}>
        <button class="button button-primary" type="submit" disabled=${!userId.trim()}>Share</button>
      </form>
      <${Failure} error=${failure} />
    </div>
  </${Dialog}>`;
}
