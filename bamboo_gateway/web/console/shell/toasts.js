// Short notices in the corner: that something was done, or why not.
import { signal } from "../../vendor/signals/signals.js";
import { html } from "../html.js";
import { trouble } from "../text/advice.js";
import { sentence } from "../text/format.js";
import { Icon } from "./icons.js";

/** Milliseconds that a notice stays. */
const STAY = 6000;

/** @typedef {{key: number, kind: "done" | "failed", text: string}} Toast */

/** Holds the notices that are shown. Invariant: at most four. */
export class Toasts {
  constructor() {
    this.shown = signal(/** @type {readonly Toast[]} */ ([]));
    this.last = 0;
  }

  /** @param {string} text */
  done(text) {
    this.add("done", text);
  }

  /** @param {string} what Was tried. @param {unknown} error */
  failed(what, error) {
    const { message, todo } = trouble(error);
    this.add("failed", [sentence(`${what}: ${message}`), todo].filter(Boolean).join(" "));
  }

  /** @param {number} key */
  dismiss(key) {
    this.shown.value = this.shown.value.filter((toast) => toast.key !== key);
  }

  /** Take all of them away. */
  forget() {
    this.shown.value = [];
  }

  /** @param {Toast["kind"]} kind @param {string} text */
  add(kind, text) {
    const key = (this.last += 1);
    this.shown.value = [...this.shown.value.slice(-3), { key, kind, text }];
    setTimeout(() => this.dismiss(key), kind === "failed" ? 2 * STAY : STAY);
  }
}

/** @param {{toasts: Toasts}} props */
export function ToastStack({ toasts }) {
  return html`<div class="toasts" role="region" aria-label="Notices" aria-live="polite">
    ${toasts.shown.value.map(
      ({ key, kind, text }) => html`<div key=${key} class=${`toast toast-${kind}`} data-state=${kind}>
        <${Icon} name=${kind === "done" ? "check" : "warning"} />
        <span>${text}</span>
        <button class="button button-icon button-quiet" aria-label="Dismiss notice" onClick=${() => toasts.dismiss(key)}>
        <${Icon} name="close" size=${16} /></button>
      </div>`,
    )}
  </div>`;
}
