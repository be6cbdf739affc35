// One frame: a line that opens into the whole message.
import { Component } from "../../vendor/preact/preact.js";
import { html } from "../html.js";
import { bytes, preciseClock, shortId } from "../text/format.js";
import { CodeBlock } from "../chat/code_block.js";
import { lineOf } from "./recorder.js";

/** Characters of the line: more do not fit on a screen. */
const SHOWN = 300;

/** @typedef {{entry: import("./recorder.js").Entry}} Props */

/** Draws a frame once: frames do not change. @extends {Component<Props, {isOpen: boolean}>} */
export class EventRow extends Component {
  /** @override */
  state = { isOpen: false };

  /** @param {Props} _ @param {{isOpen: boolean}} next @override */
  shouldComponentUpdate(_, next) {
    return next.isOpen !== this.state.isOpen;
  }

  /** @param {Props} props @param {{isOpen: boolean}} state @override */
  render({ entry }, { isOpen }) {
    const where = entry.channel ? `#${entry.channel}` : entry.session ? shortId(entry.session) : "";
    return html`<li class="event" data-type=${entry.type} data-direction=${entry.direction}>
      <button class="event-line" aria-expanded=${isOpen} onClick=${() => this.setState({ isOpen: !isOpen })}>
        <span class="event-direction" title=${entry.direction === "in" ? "received" : "sent"}><span aria-hidden="true">
        ${entry.direction === "in" ? "←" : "→"}</span><span class="visually-hidden">
        ${entry.direction === "in" ? "received" : "sent"}</span></span>
        <span class="event-time figures">${preciseClock(entry.at)}</span>
        <span class="event-label">${entry.label}</span>
        <span class="event-type">${entry.type}</span>
        <span class="event-seq figures">${entry.seq !== null && `#${entry.seq}`}</span>
        <span class="event-where">${where}</span>
        <span class="event-json">${lineOf(entry).slice(0, SHOWN)}</span>
        <span class="event-bytes figures">${bytes(entry.bytes)}</span>
      </button>
      ${isOpen && html`<div class="event-body"><dl class="event-facts">${facts(entry).map(([name, value]) => html`<div><dt>
      ${name}</dt><dd>${value}</dd></div>`)}</dl><${CodeBlock} text=${JSON.stringify(entry.message, null, 2)} language="json" />
      </div>`}
    </li>`;
  }
}

/** @param {import("./recorder.js").Entry} entry @returns {[string, string][]} */
function facts(entry) {
  return /** @type {[string, string][]} */ (
    [
      ["session", entry.session],
      ["channel", entry.channel],
      ["seq", entry.seq],
      ["run", entry.runId],
      ["size", bytes(entry.bytes)],
    ].filter(([, value]) => value !== null)
  );
}
