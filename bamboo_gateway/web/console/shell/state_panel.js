// What stands in the place of a list or a view that has nothing to show: empty, loading, or in trouble.
import { html } from "../html.js";
import { trouble } from "../text/advice.js";
import { sentence } from "../text/format.js";
import { Icon } from "./icons.js";

/** @param {{icon: string, title: string, children?: any}} props */
export function Empty({ icon, title, children }) {
  return html`<div class="panel-state" data-state="empty"><span class="panel-icon"><${Icon} name=${icon} size=${24} /></span><h2>
    ${title}</h2>${children}</div>`;
}

/** @param {{what: string}} props */
export function Loading({ what }) {
  return html`<div class="panel-state" data-state="loading" role="status"><span class="spinner" aria-hidden="true"></span>
    <p class="muted">${what}</p></div>`;
}

/** @param {{error: unknown, onRetry?: () => void, children?: any}} props */
export function Broken({ error, onRetry, children }) {
  const { title, message, todo, code } = trouble(error);
  return html`<div class="panel-state" data-state="error" role="alert">
    <span class="panel-icon panel-icon-danger"><${Icon} name=${code === "FORBIDDEN" ? "lock" : "warning"} size=${24} /></span>
    <h2>${title}</h2><p>${sentence(message)}</p>${todo && html`<p class="muted">${todo}</p>`}
    ${onRetry && html`<button class="button" onClick=${onRetry}>Try again</button>`}${children}
  </div>`;
}

/** @param {{what: string, reason: string, children?: any}} props */
export function Withheld({ what, reason, children }) {
  return html`<div class="panel-state" data-state="forbidden">
    <span class="panel-icon"><${Icon} name="lock" size=${24} /></span><h2>${what}</h2><p>${reason}</p>
    <p class="muted">Ask whoever gave you the token, or sign in with another one.</p>${children}
  </div>`;
}
