// The open session: its heading, its conversation, and where to write.
import { html } from "../html.js";
import { useEffect, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { usePoll } from "../shell/poll.js";
import { hashOf } from "../shell/route.js";
import { Broken, Loading } from "../shell/state_panel.js";
import { Reconnecting } from "../shell/frame.js";
import { Icon } from "../shell/icons.js";
import { plural, sentence, sessionTitle } from "../text/format.js";
import { Composer } from "./composer.js";
import { queuedTurns, runningTurn } from "./conversation.js";
import { PaneHead } from "./pane_head.js";
import { PendingView } from "./pending_view.js";
import { useScroller } from "./scroller.js";
import { SessionStream } from "./session_stream.js";
import { TurnView } from "./turn_view.js";

/** Milliseconds between looks at what others may have changed. */
const REFRESH_INTERVAL = 10_000;

/** @typedef {import("./session_stream.js").SessionStream} Stream */

/** @param {{id: string}} props */
export function Pane({ id }) {
  const desk = useDesk();
  const [stream, setStream] = useState(/** @type {Stream | null} */ (null));
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const opened = new SessionStream(desk, id);
    setStream(opened);
    void opened.open();
    return () => opened.close();
  }, [id, attempt]);
  if (!stream || stream.sessionId !== id || stream.state.value.phase === "opening")
    return html`<div class="pane" data-state="opening"><h1 class="visually-hidden">Chat</h1>
      <${Loading} what="Opening the session…" /></div>`;
  const state = stream.state.value;
  if (state.phase === "failed") {
    return html`<div class="pane" data-state="failed"><h1 class="visually-hidden">Chat</h1>
      <${Broken} error=${state.error} onRetry=${() => setAttempt(attempt + 1)}>
      <a class="button button-quiet" href=${hashOf("sessions")}>All sessions</a></${Broken}></div>`;
  }
  return html`<${OpenPane} key=${`${id}/${attempt}`} stream=${stream} />`;
}

/** @param {{stream: Stream}} props */
function OpenPane({ stream }) {
  const { gate, network, shortcuts } = useDesk();
  const [given, setGiven] = useState(/** @type {{text: string} | null} */ (null));
  const conversation = stream.conversation.value;
  const pending = stream.pending.value;
  const isRunning = runningTurn(conversation) !== null;
  const isEnded = stream.state.value.phase === "ended";
  const scroller = useScroller([conversation, pending], conversation.first, () => void stream.loadOlder());
  const title = sessionTitle(stream.info.value);
  useEffect(() => {
    document.title = `${title} · Bamboo Gateway`;
  }, [title]);
  useEffect(() => shortcuts.add("End", scroller.toEnd), []);
  usePoll(() => stream.refresh(), REFRESH_INTERVAL, [stream]);
  const silence = whyNot(stream, gate.permissions.value);
  const mayAbort = gate.permissions.value.may("session.abort") && stream.info.value.access !== "read";
  const abort = () => void stream.abort(runningTurn(stream.conversation.value)?.runId ?? null);
  useAbortKey(isRunning && mayAbort && !isEnded, abort);
  return html`<div class="pane" data-state=${isEnded ? "ended" : stream.link.value} data-session=${stream.sessionId}>
    <${PaneHead} stream=${stream} />
    <${Banners} stream=${stream} isRunning=${isRunning} />
    <div class="stream" ref=${scroller.element} onScroll=${scroller.onScroll} tabindex="0" role="region"
    aria-label="Conversation">
      <div class="stream-inner">
        <${Older} stream=${stream} />
        <${Items} stream=${stream} mayAbort=${mayAbort && !isEnded} />
        ${pending.map(
          (
            each,
          ) => html`<${PendingView} key=${each.id} pending=${each}
            isOffline=${stream.link.value !== "open" || !network.isOnline.value}
            onRetry=${() => stream.retry(each.id)} onEdit=${() => setGiven({ text: stream.discard(each.id) })} onDiscard=${() => stream.discard(each.id)} />`,
        )}
        ${isEnded && html`<${Ended} stream=${stream} />`}
        ${conversation.items.length + pending.length === 0 && !isEnded && html`<${Hello}
        maySpeak=${silence === null} onTry=${(/** @type {string} */ text) => setGiven({ text })} />`}
      </div>
    </div>
    ${scroller.isAway && html`<button class="button to-end" onClick=${scroller.toEnd}>
    <${Icon} name="down" size=${16} />Jump to the newest</button>`}
    <${Composer} stream=${stream} reason=${silence} isRunning=${isRunning && !isEnded}
    canAbort=${mayAbort} onAbort=${abort} onSent=${scroller.toEnd} given=${given} />
  </div>`;
}

/**
 * Why nothing may be said here; null: one may.
 *
 * @param {Stream} stream @param {import("../gate/permissions.js").Permissions} permissions @returns {string | null}
 */
function whyNot(stream, permissions) {
  if (stream.state.value.phase === "ended") return "The session has ended";
  if (stream.info.value.access === "read") return "Shared with you to read: its owner can let you chat";
  // Whoever may chat may abort; there is no command of its own to ask for.
  if (!permissions.may("session.abort")) return "Your token lacks the scope chat";
  return null;
}

/** @param {boolean} isOn @param {() => void} abort */
function useAbortKey(isOn, abort) {
  useEffect(() => {
    if (!isOn) return;
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !event.isComposing && !document.querySelector("dialog[open]")) abort();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [isOn]);
}

/** @param {{stream: Stream, isRunning: boolean}} props */
function Banners({ stream, isRunning }) {
  const { network } = useDesk();
  const note = stream.note.value;
  if (stream.link.value === "reconnecting" || !network.isOnline.value) {
    const text = isRunning ? "Offline — the answer goes on at the gateway;" : "Offline — what you write waits here;";
    return html`<${Reconnecting} text=${text} retryAt=${stream.retryAt.value} onNow=${() => stream.client?.reconnectNow()} />`;
  }
  if (stream.isStopping.value) {
    const text = isRunning
      ? "The gateway is about to stop. It waits a while for this answer to end; then this page comes back by itself."
      : "The gateway is about to stop and takes nothing new. This page comes back by itself.";
    return html`<div class="banner" data-state="stopping"><${Icon} name="info" /><p role="status">${text}</p></div>`;
  }
  if (note === null) return null;
  return html`<div class="banner banner-good" data-state="resumed"><${Icon} name="resumed" /><p>${note}</p>
    <button class="button button-icon button-quiet" aria-label="Dismiss" onClick=${() => (stream.note.value = null)}>
    <${Icon} name="close" size=${16} /></button></div>`;
}

/** @param {{stream: Stream}} props */
function Older({ stream }) {
  const { hasMore, items } = stream.conversation.value;
  if (!hasMore) return items.length > 4 ? html`<p class="beginning">The beginning of the conversation</p>` : null;
  const isLoading = stream.isLoadingOlder.value;
  return html`<p class="beginning">
    <button class="button button-small" disabled=${isLoading} onClick=${() => void stream.loadOlder()}>
    ${isLoading ? "Loading…" : "Show older messages"}</button></p>`;
}

/** @param {{stream: Stream, mayAbort: boolean}} props */
function Items({ stream, mayAbort }) {
  const conversation = stream.conversation.value;
  const queue = queuedTurns(conversation);
  const abort = (/** @type {string | null} */ runId) => void stream.abort(runId);
  return conversation.items.map((item) =>
    item.kind === "gap"
      ? html`<${GapView} key=${item.key} count=${item.count} />`
      : html`<${TurnView} key=${item.key} turn=${item} isOwn=${stream.words.isOwn(item.runId)} position=${queue.indexOf(item) + 1}
        canAbort=${mayAbort} onAbort=${abort} />`,
  );
}

/** @param {{count: number | null}} props */
function GapView({ count }) {
  return html`<p class="gap-note" role="status" data-state="gap"><${Icon} name="gap" size=${16} /><span>
    ${count ? `${plural(count, "event")} had left the gateway's log` : "The gateway's log begins anew here"}; the conversation above was read again from its history.</span></p>`;
}

/** @param {{stream: Stream}} props */
function Ended({ stream }) {
  const state = stream.state.value;
  return html`<div class="note note-warning" role="alert" data-state="ended"><${Icon} name="info" />
    <span><strong>The session has ended.</strong> ${state.phase === "ended" ? sentence(state.reason) : ""} <span
    class="muted">What stands here is a copy in this page only.</span></span>
    <a class="button button-small" href=${hashOf("sessions")}>All sessions</a></div>`;
}

/** @param {{maySpeak: boolean, onTry: (text: string) => void}} props */
function Hello({ maySpeak, onTry }) {
  if (!maySpeak) {
    return html`<div class="hello" data-state="empty"><h2>Nothing has been said yet</h2>
      <p class="muted">What is said here appears as it comes.</p></div>`;
  }
  return html`<div class="hello" data-state="empty"><h2>Nothing has been said yet</h2>
    <p class="muted">Write below. The answer goes on at the gateway even if you close this page, and is here when you come back.</p>
    <div class="row row-center">${TRIES.map((text) => html`<button class="button button-small" onClick=${() => onTry(text)}>
    ${text}</button>`)}</div></div>`;
}

/** What any agent makes something of. */
const TRIES = ["What can you do?", "/help"];
