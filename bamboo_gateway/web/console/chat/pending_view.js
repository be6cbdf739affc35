// What was said here and is not yet in the conversation: on its way, or refused.
import { html } from "../html.js";
import { Icon } from "../shell/icons.js";
import { useCountdown } from "../gate/sign_in.js";
import { sentence } from "../text/format.js";
import { Question } from "./turn_view.js";

/** @typedef {import("./session_stream.js").Pending} Pending */

/** @param {{pending: Pending, isOffline: boolean, onRetry: () => void, onEdit: () => void, onDiscard: () => void}} props */
export function PendingView({ pending, isOffline, onRetry, onEdit, onDiscard }) {
  return html`<section class="turn" data-state=${`pending-${pending.state}`}>
    <${Question} said=${{ content: pending.content, ts: Date.now() }} speaker="You" state=${pending.state}>
      ${
        pending.state === "sending"
          ? html`<p class="waiting"><span class="dot" aria-hidden="true"></span>
            ${isOffline ? "Waits for the connection; it will be sent once" : "Sending…"}</p>`
          : html`<${Refused} trouble=${/** @type {any} */ (pending.trouble)} onRetry=${onRetry} onEdit=${onEdit}
            onDiscard=${onDiscard} />`
      }
    </${Question}>
  </section>`;
}

/** @param {{trouble: import("../text/advice.js").Trouble, onRetry: () => void, onEdit: () => void, onDiscard: () => void}} props */
function Refused({ trouble, onRetry, onEdit, onDiscard }) {
  const left = useCountdown(trouble.retryAfter);
  return html`<div class="note note-danger" role="alert" data-code=${trouble.code}><${Icon} name="warning" />
    <span><strong>${trouble.title}: not sent.</strong> ${sentence(trouble.message)} <span class="muted">${trouble.todo}</span>
    </span>
    <span class="row">
      <button class="button button-small" disabled=${left > 0} onClick=${onRetry}>
      ${left > 0 ? `Try again in ${left} s` : "Try again"}</button>
      <button class="button button-small button-quiet" onClick=${onEdit}>Edit</button>
      <button class="button button-small button-quiet" onClick=${onDiscard}>Discard</button>
    </span></div>`;
}
