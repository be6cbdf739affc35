// What a screen reader is told of what happens elsewhere on the page.
import { signal } from "../../vendor/signals/signals.js";
import { html } from "../html.js";

/** Holds the last announcement. */
export class Announcer {
  constructor() {
    this.text = signal("");
    this.turn = 0;
  }

  /** @param {string} text The same text twice is said twice. */
  say(text) {
    this.turn += 1;
    this.text.value = this.turn % 2 ? text : `${text}\u00a0`;
  }

  /** Say no more of it: a screen reader could still find it. */
  forget() {
    this.text.value = "";
  }
}

/** The live region itself; there is one in the page. @param {{announcer: Announcer}} props */
export function LiveRegion({ announcer }) {
  return html`<div class="visually-hidden" role="status" aria-live="polite" aria-atomic="true">${announcer.text.value}</div>`;
}
