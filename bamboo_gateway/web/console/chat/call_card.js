// A tool call, in its place in the answer: what was called, with what, what came of it, and how long it took.
import { html } from "../html.js";
import { duration, excerpt, pretty } from "../text/format.js";
import { useNow } from "../shell/poll.js";
import { Icon } from "../shell/icons.js";
import { CodeBlock } from "./code_block.js";

/** @typedef {import("./conversation.js").Call} Call */

/** @param {{call: Call, isOver: boolean}} props *isOver*: its turn is; a call that has not come back never will. */
export function CallCard({ call, isOver }) {
  const state = call.result !== null ? (call.ok === false ? "failed" : "done") : isOver ? "lost" : "running";
  return html`<details class="call" data-state=${state} data-tool=${call.tool} open=${state === "failed"}>
    <summary>
      <span class="call-icon">${state === "running" ? html`<span class="spinner" aria-hidden="true">
      </span>` : html`<${Icon} name=${state === "failed" ? "warning" : "tool"} size=${16} />`}</span>
      <span class="call-name">${call.tool}</span>
      <span class="call-gist">${gist(call)}</span>
      <span class="call-state">
      ${state === "running" ? html`<${Elapsed}
      since=${call.startedAt} />` : STATES[state]}${state !== "running" && took(call)}</span>
      <span class="call-chevron"><${Icon} name="chevron" size=${16} /></span>
    </summary>
    <div class="call-body">
      <h3>Arguments</h3>
      ${call.args === null ? html`<p class="muted">None.</p>` : html`<${CodeBlock} text=${pretty(call.args)}
      language=${typeof call.args === "string" ? "" : "json"} />`}
      <h3>${state === "failed" ? "Error" : "Result"}</h3>
      ${call.result === null ? html`<p class="muted">
      ${isOver ? "It never came back." : "Not yet."}</p>` : html`<${CodeBlock} text=${pretty(call.result)}
      language=${pretty(call.result) === call.result ? "" : "json"} />`}
    </div>
  </details>`;
}

const STATES = { done: "done", failed: "failed", lost: "no answer", running: "" };

/** @param {Call} call */
function took({ startedAt, completedAt }) {
  return startedAt !== null && completedAt !== null ? ` · ${duration((completedAt - startedAt) / 1000)}` : "";
}

/** @param {Call} call */
function gist({ args }) {
  if (args === null) return "";
  return excerpt(typeof args === "string" ? args : JSON.stringify(args), 80);
}

/** @param {{since: number | null}} props */
function Elapsed({ since }) {
  const now = useNow(500);
  return html`running${since !== null && ` · ${Math.max(0, Math.round((now - since) / 1000))} s`}`;
}
