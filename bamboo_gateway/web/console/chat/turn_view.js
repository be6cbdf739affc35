// One turn as it is read: the question, the answer with its tool calls, and how it ended.
import { Component } from "../../vendor/preact/preact.js";
import { useState } from "../../vendor/preact/hooks.js";
import { html } from "../html.js";
import { trouble } from "../text/advice.js";
import { clock, duration, integer, moment, sentence } from "../text/format.js";
import { Icon, Mark } from "../shell/icons.js";
import { CallCard } from "./call_card.js";
import { CopyButton } from "./code_block.js";
import { answerText } from "./conversation.js";
import { Markdown } from "./markdown_view.js";

/** @typedef {import("./conversation.js").Turn} Turn */
/** @typedef {{turn: Turn, isOwn: boolean, position: number, canAbort: boolean, onAbort: (runId: string | null) => void}} Props */

/**
 * Draws a turn anew only if it is another one: turns are values. One that cannot be drawn is shown as plain text, so
 * that it takes no other with it.
 *
 * @extends {Component<Props, {isBroken: boolean}>}
 */
export class TurnView extends Component {
  /** @override */
  state = { isBroken: false };

  /** @param {unknown} error @override */
  componentDidCatch(error) {
    console.error("a turn could not be drawn", error);
    this.setState({ isBroken: true });
  }

  /** @param {Props} next @param {{isBroken: boolean}} state @override */
  shouldComponentUpdate(next, state) {
    return (
      state.isBroken !== this.state.isBroken ||
      next.turn !== this.props.turn ||
      next.isOwn !== this.props.isOwn ||
      next.position !== this.props.position ||
      next.canAbort !== this.props.canAbort
    );
  }

  /** @param {Props} props @param {{isBroken: boolean}} state @override */
  render({ turn, isOwn, position, canAbort, onAbort }, { isBroken }) {
    if (isBroken) return html`<${Raw} turn=${turn} speaker=${speakerOf(turn, isOwn)} />`;
    return html`<section class="turn" data-state=${turn.status} data-run=${turn.runId}>
      ${turn.said && html`<${Question} said=${turn.said} speaker=${speakerOf(turn, isOwn)} />`}
      ${turn.status === "queued" ? html`<${Waiting} position=${position} canAbort=${canAbort}
      onAbort=${() => onAbort(turn.runId)} />` : html`<${Answer} turn=${turn} />`}
    </section>`;
  }
}

/** A turn as nothing but text. @param {{turn: Turn, speaker: string}} props */
function Raw({ turn, speaker }) {
  return html`<section class="turn" data-state=${turn.status} data-run=${turn.runId}>
    ${turn.said && html`<article class="message message-user" data-role="user"><header class="message-head"><h2>${speaker}</h2></header>
    <div class="bubble">${turn.said.content}</div></article>`}
    <article class="message message-agent" data-role="assistant"><header class="message-head"><h2>Agent</h2></header>
      <div class="answer"><p class="note"><${Icon} name="info" /><span>This answer could not be set; here is its text.</span></p>
      <div class="markdown"><p class="plain">${answerText(turn)}</p></div></div></article>
  </section>`;
}

/** History does not tell who spoke, so a turn that nobody here saw is *User*. @param {Turn} turn @param {boolean} isOwn */
function speakerOf(turn, isOwn) {
  if (isOwn) return "You";
  return turn.said?.chatId ? "Another client" : "User";
}

/** @param {{said: {content: string, ts: number | null}, speaker: string, children?: any, state?: string}} props */
export function Question({ said, speaker, children, state }) {
  return html`<article class="message message-user" data-role="user" data-state=${state}>
    <header class="message-head"><h2>${speaker}</h2>${said.ts !== null && html`<${Time} at=${said.ts} />`}</header>
    <${Said} text=${said.content} />
    ${children}
  </article>`;
}

/** Characters and lines, from which on what somebody said is folded. */
const LONG = { characters: 1500, lines: 16 };

/** @param {{text: string}} props */
function Said({ text }) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > LONG.characters || text.split("\n", LONG.lines + 1).length > LONG.lines;
  return html`<div class=${isLong && !isOpen ? "bubble bubble-folded" : "bubble"}>${text}</div>
    ${isLong && html`<button class="button button-quiet button-small unfold" aria-expanded=${isOpen}
    onClick=${() => setOpen(!isOpen)}>${isOpen ? "Show less" : "Show all of it"}</button>`}`;
}

/** @param {{at: number}} props */
function Time({ at }) {
  return html`<time datetime=${new Date(at).toISOString()} title=${moment(at)}>${clock(at, Date.now())}</time>`;
}

/** @param {{position: number, canAbort: boolean, onAbort: () => void}} props */
function Waiting({ position, canAbort, onAbort }) {
  return html`<p class="waiting"><span class="dot" aria-hidden="true">
    </span>Queued${position > 1 ? `, number ${position} in line` : ", next in line"}
    ${canAbort && html`<button class="button button-quiet button-small" onClick=${onAbort}>Take back</button>`}</p>`;
}

/** @param {{turn: Turn}} props */
function Answer({ turn }) {
  const isRunning = turn.status === "running";
  const text = answerText(turn);
  return html`<article class="message message-agent" data-role="assistant" data-state=${turn.status} aria-busy=${isRunning}>
    <header class="message-head"><span class="avatar"><${Mark} size=${22} /></span><h2>Agent</h2>
      ${turn.startedAt !== null && html`<${Time} at=${turn.startedAt} />`}
      ${isRunning && html`<span class="working" data-state="running"><span class="pulse" aria-hidden="true">
      </span>answering</span>`}</header>
    <div class="answer">
      ${turn.parts.map((part, index) => (part.kind === "text" ? html`<${Markdown} key=${index}
      text=${part.text} />` : html`<${CallCard} key=${index} call=${part.call} isOver=${!isRunning} />`))}
      ${isRunning && turn.parts.length === 0 && html`<p class="thinking"><span></span><span></span><span></span></p>`}
      ${turn.truncated && html`<p class="note"><${Icon} name="info" />
      <span>The answer was longer than the gateway keeps; its end is missing here.</span></p>`}
      <${Ending} turn=${turn} />
    </div>
    ${!isRunning && html`<footer class="message-foot"><${Cost} turn=${turn} />
    ${text && html`<${CopyButton} text=${text} what="answer" />`}</footer>`}
  </article>`;
}

/** @param {{turn: Turn}} props */
function Ending({ turn }) {
  if (turn.status !== "failed" && turn.status !== "interrupted") return null;
  const fallback = turn.status === "interrupted" ? "AGENT_INTERRUPTED" : "AGENT_ERROR";
  const { title, message, todo, code } = trouble(
    turn.error ?? { code: fallback, message: "The answer is not complete." },
  );
  const isAborted = code === "AGENT_ABORTED";
  return html`<div class=${isAborted ? "note" : "note note-danger"} data-state="error" data-code=${code}>
    <${Icon} name=${isAborted ? "stop" : "warning"} />
    <span><strong>${title}.</strong> ${isAborted ? "" : sentence(message)} <span class="muted">
    ${todo}</span> <code class="code-tag">${code}</code></span></div>`;
}

/** @param {{turn: Turn}} props */
function Cost({ turn }) {
  const parts = [];
  if (turn.startedAt !== null && turn.endedAt !== null) parts.push(duration((turn.endedAt - turn.startedAt) / 1000));
  if (turn.usage) parts.push(`${integer(turn.usage.total_tokens)} tokens`);
  const title = turn.usage
    ? `${integer(turn.usage.prompt_tokens)} read, ${integer(turn.usage.completion_tokens)} written`
    : null;
  return html`<span class="cost muted" title=${title}>${parts.join(" · ")}</span>`;
}
