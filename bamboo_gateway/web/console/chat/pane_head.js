// The heading of the open session: its name, who watches it, and what can be done with it.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { hashOf } from "../shell/route.js";
import { Icon } from "../shell/icons.js";
import { sessionTitle } from "../text/format.js";
import { DeleteDialog, RenameDialog, ShareDialog } from "../sessions/session_dialogs.js";

/** @param {{stream: import("./session_stream.js").SessionStream}} props */
export function PaneHead({ stream }) {
  const { gate, route } = useDesk();
  const [dialog, setDialog] = useState(/** @type {"rename" | "delete" | "share" | null} */ (null));
  const info = stream.info.value;
  const permissions = gate.permissions.value;
  const isOver = stream.state.value.phase === "ended";
  const why = (/** @type {string} */ command) =>
    isOver
      ? "The session has ended."
      : info.access === "own"
        ? permissions.lack(command)
        : "Only its owner may do that.";
  const close = () => setDialog(null);
  const button = (
    /** @type {"rename" | "delete" | "share"} */ name,
    /** @type {string} */ label,
    /** @type {string} */ icon,
  ) => {
    const reason = why(`session.${name}`);
    return html`<button class="button button-icon button-quiet" aria-label=${label} title=${reason ?? label}
      disabled=${reason !== null} onClick=${() => setDialog(name)}><${Icon} name=${icon} /></button>`;
  };
  return html`<header class="pane-head">
    <a class="button button-icon button-quiet pane-back" href=${hashOf("sessions")} aria-label="All sessions">
    <${Icon} name="back" /></a>
    <div class="pane-title"><h1 title=${stream.sessionId}>${sessionTitle(info)}</h1><${Watchers} stream=${stream} /></div>
    <div class="pane-actions">
    ${button("rename", "Rename session", "edit")}${button("share", "Share session", "share")}${button("delete", "Delete session", "trash")}</div>
    ${dialog === "rename" && html`<${RenameDialog} session=${info} onClose=${close}
    onDone=${(/** @type {any} */ changed) => (stream.info.value = changed)} />`}
    ${dialog === "share" && html`<${ShareDialog} session=${info} onClose=${close}
    onDone=${(/** @type {any} */ changed) => (stream.info.value = changed)} />`}
    ${dialog === "delete" && html`<${DeleteDialog} session=${info} onClose=${close} onDone=${() => route.go("sessions")} />`}
  </header>`;
}

/** @param {{stream: import("./session_stream.js").SessionStream}} props */
function Watchers({ stream }) {
  const watchers = stream.watchers.value;
  const own = stream.client?.connected.connection_id;
  return html`<details class="watchers">
    <summary><${Icon} name="eye" size=${14} />${watchers.length > 1 ? `${watchers.length} watch` : "Only you watch"}</summary>
    <ul>${watchers.map(
      (each) =>
        html`<li key=${each.connection_id}><strong>
          ${each.user_id}</strong> ${each.client ? `${each.client.name} ${each.client.version ?? ""}` : "unnamed client"}${each.connection_id === own && html` <span class="muted">(this tab)</span>`}</li>`,
    )}</ul>
  </details>`;
}
