// A conversation as it is shown: made from pages of the history, and grown by the events of the session's log.
//
// All of it is pure. A page of the history says by its `seq` how far into the log it reaches, so events up to
// there are in it already, and those after it are applied: nothing is lost and nothing doubled, wherever a page
// was reloaded. What is said and what is answered stand together as one turn, also where other chats came between.

/** @typedef {{id: string, tool: string, args: unknown, result: string | null, ok: boolean | null, startedAt: number | null, completedAt: number | null}} Call */
/** @typedef {{kind: "text", text: string} | {kind: "call", call: Call}} Part */
/** @typedef {{prompt_tokens: number, completion_tokens: number, total_tokens: number}} Usage */
/** @typedef {"queued" | "running" | "complete" | "failed" | "interrupted"} Status */
/**
 * One turn: what was said, and what was answered.
 * @typedef {{
 *   kind: "turn", key: string, runId: string | null, status: Status,
 *   said: {content: string, ts: number | null, chatId: string | null} | null,
 *   parts: readonly Part[], startedAt: number | null, endedAt: number | null,
 *   usage: Usage | null, error: {code: string, message: string} | null, truncated: boolean,
 * }} Turn
 */
/** @typedef {{kind: "gap", key: string, count: number | null}} GapNote */
/** @typedef {Turn | GapNote} Item */
/** *seq*: the newest event that is in it; *first*: the number of the oldest message.
 * @typedef {{items: readonly Item[], seq: number, first: number, hasMore: boolean}} Conversation */

/** @type {Conversation} */
export const NOTHING = { items: [], seq: 0, first: 0, hasMore: false };

/** @param {string | null} runId @param {string} key @returns {Turn} */
function emptyTurn(runId, key) {
  return {
    kind: "turn",
    key,
    runId,
    status: "queued",
    said: null,
    parts: [],
    startedAt: null,
    endedAt: null,
    usage: null,
    error: null,
    truncated: false,
  };
}

// ── history ──────────────────────────────────────────────────────────────────

/** @param {any} page The answer of `session.history`. @returns {Conversation} */
export function fromHistory(page) {
  const waiting = (page.queued ?? []).map(waitingTurn);
  return { items: [...turnsOf(page.messages), ...waiting], seq: page.seq, first: page.first, hasMore: page.has_more };
}

/**
 * Put an older page in front. A turn that the pages share becomes one.
 *
 * @param {Conversation} conversation @param {any} page @returns {Conversation}
 */
export function prepend(conversation, page) {
  const older = turnsOf(page.messages);
  const [first, ...rest] = conversation.items;
  const last = older.at(-1);
  const shared =
    first?.kind === "turn" && last && first.runId === last.runId ? { ...first, said: first.said ?? last.said } : null;
  const items = shared ? [...older.slice(0, -1), shared, ...rest] : [...older, ...conversation.items];
  return { ...conversation, items, first: page.first, hasMore: page.has_more };
}

/**
 * Begin anew from the newest page, after a gap.
 *
 * @param {any} page @param {GapNote} note Stands before what waits.
 * @returns {Conversation}
 */
export function reloaded(page, note) {
  const conversation = fromHistory(page);
  const items = conversation.items.toSpliced(conversation.items.length - (page.queued?.length ?? 0), 0, note);
  return { ...conversation, items };
}

/** @param {readonly any[]} messages Oldest first. @returns {Turn[]} */
function turnsOf(messages) {
  /** @type {Turn[]} */
  const turns = [];
  for (const message of messages) {
    let turn = turns.at(-1);
    if (!turn || turn.runId !== message.run_id) {
      turn = emptyTurn(message.run_id, message.run_id);
      turns.push(turn);
    }
    if (message.role === "user") {
      Object.assign(turn, { said: { content: message.content, ts: message.ts, chatId: null }, status: "complete" });
    } else {
      Object.assign(turn, {
        status: message.status,
        parts: partsOf(message.content, message.tool_calls.map(callOf)),
        startedAt: message.ts,
        usage: message.usage ?? null,
        error: message.error ?? null,
        truncated: message.truncated,
      });
    }
  }
  return turns;
}

/** @param {any} chat One of `session.history`'s `queued`. @returns {Turn} */
function waitingTurn(chat) {
  return { ...emptyTurn(chat.run_id, chat.run_id), said: { content: chat.content, ts: null, chatId: chat.id ?? null } };
}

/** @param {any} record @returns {{call: Call, position: number | null}} */
function callOf(record) {
  const call = {
    id: record.id,
    tool: record.tool,
    args: record.args ?? null,
    result: record.result ?? null,
    ok: record.ok ?? null,
    startedAt: record.started_at ?? null,
    completedAt: record.completed_at ?? null,
  };
  return { call, position: record.position ?? null };
}

/**
 * Put calls where they stood in the text; those of which nobody knows it come first, as most calls do.
 *
 * @param {string} content @param {readonly {call: Call, position: number | null}[]} calls *position* counts code points.
 * @returns {Part[]}
 */
export function partsOf(content, calls) {
  /** @type {Part[]} */
  const parts = [];
  let rest = content;
  let passed = 0;
  for (const { call, position } of calls) {
    const end = unitsOf(rest, Math.max(0, (position ?? 0) - passed));
    if (end > 0) parts.push({ kind: "text", text: rest.slice(0, end) });
    passed = Math.max(passed, position ?? 0);
    rest = rest.slice(end);
    parts.push({ kind: "call", call });
  }
  if (rest) parts.push({ kind: "text", text: rest });
  return parts;
}

/** How many UTF-16 units the first *points* code points of *text* take. @param {string} text @param {number} points */
function unitsOf(text, points) {
  let units = 0;
  for (let left = points; left > 0 && units < text.length; left -= 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  }
  return units;
}

// ── events ───────────────────────────────────────────────────────────────────

/**
 * Apply events of the session's log, in their order. Those that the conversation has already change nothing.
 *
 * @param {Conversation} conversation @param {readonly any[]} events @returns {Conversation}
 */
export function applied(conversation, events) {
  const fresh = events.filter(
    (event) => !event.channel && typeof event.seq === "number" && event.seq > conversation.seq,
  );
  return coalesced(fresh).reduce(applyOne, conversation);
}

/**
 * Join neighbouring tokens of one turn, so that a fast agent costs one step a frame.
 *
 * @param {readonly any[]} events @returns {any[]}
 */
export function coalesced(events) {
  /** @type {any[]} */
  const joined = [];
  /** @type {string[]} */
  let tokens = [];
  const close = () => {
    if (tokens.length > 1) joined[joined.length - 1] = { ...joined.at(-1), token: tokens.join("") };
    tokens = [];
  };
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type === "agent_token" && tokens.length && last.run_id === event.run_id) {
      tokens.push(event.token);
      joined[joined.length - 1] = { ...event, ts: last.ts };
      continue;
    }
    close();
    joined.push(event);
    if (event.type === "agent_token") tokens = [event.token];
  }
  close();
  return joined;
}

/** @type {Record<string, (turn: Turn, event: any) => Turn>} */
const MOVES = {
  user_message: (turn, event) => ({
    ...turn,
    said: { content: event.content, ts: event.ts, chatId: event.id ?? null },
  }),
  agent_start: (turn, event) => ({ ...turn, status: "running", startedAt: event.ts }),
  agent_token: (turn, event) => ({ ...begun(turn, event), parts: withText(turn.parts, event.token) }),
  agent_tool_start: (turn, event) => ({
    ...begun(turn, event),
    parts: [...turn.parts, { kind: "call", call: startedCall(event) }],
  }),
  agent_tool_complete: (turn, event) => ({ ...begun(turn, event), parts: withResult(turn.parts, event) }),
  agent_complete: (turn, event) => ({ ...turn, status: "complete", endedAt: event.ts, usage: event.usage }),
  error: (turn, event) => ({
    ...turn,
    status: event.code === "AGENT_INTERRUPTED" ? "interrupted" : "failed",
    endedAt: event.ts,
    error: { code: event.code, message: event.message },
  }),
};

/** @param {Conversation} conversation @param {any} event @returns {Conversation} */
function applyOne(conversation, event) {
  const move = MOVES[event.type];
  if (!move) return conversation;
  const { items, index } = located(conversation.items, event);
  const turn = /** @type {Turn} */ (items[index]);
  items[index] = move(turn, event);
  return { ...conversation, items, seq: event.seq };
}

/**
 * The items with the turn that *event* is of, and where it stands: at the end, if it is new. What belongs to no
 * turn (an embedding program may say it) stands in one of its own.
 *
 * @param {readonly Item[]} before @param {any} event
 */
function located(before, event) {
  const items = [...before];
  const runId = event.run_id ?? null;
  let index = items.findLastIndex((item) => item.kind === "turn" && item.runId === runId);
  if (runId === null && index !== items.length - 1) index = -1;
  if (index === -1) {
    items.push(emptyTurn(runId, runId ?? `aside-${event.seq}`));
    index = items.length - 1;
  }
  return { items, index };
}

/** A turn that speaks has begun, whatever else we heard of it; what is of no turn is complete as it comes. @param {Turn} turn @param {any} event @returns {Turn} */
function begun(turn, event) {
  if (turn.status !== "queued") return turn;
  return { ...turn, status: turn.runId === null ? "complete" : "running", startedAt: turn.startedAt ?? event.ts };
}

/** @param {readonly Part[]} parts @param {string} token @returns {Part[]} */
function withText(parts, token) {
  const last = parts.at(-1);
  if (last?.kind === "text") return [...parts.slice(0, -1), { kind: "text", text: last.text + token }];
  return [...parts, { kind: "text", text: token }];
}

/** @param {any} event @returns {Call} */
function startedCall(event) {
  return {
    id: event.tool_call_id ?? event.tool,
    tool: event.tool,
    args: event.args ?? null,
    result: null,
    ok: null,
    startedAt: event.ts,
    completedAt: null,
  };
}

/** @param {readonly Part[]} parts @param {any} event @returns {Part[]} */
function withResult(parts, event) {
  const id = event.tool_call_id ?? event.tool;
  const done = { result: event.result, ok: event.ok ?? true, completedAt: event.ts };
  const index = parts.findLastIndex((part) => part.kind === "call" && part.call.id === id);
  const part = parts[index];
  if (part?.kind !== "call")
    return [...parts, { kind: "call", call: { ...startedCall(event), startedAt: null, ...done } }];
  return parts.with(index, { kind: "call", call: { ...part.call, ...done } });
}

// ── questions ────────────────────────────────────────────────────────────────

/** @param {Conversation} conversation @returns {Turn | null} The turn that runs. */
export function runningTurn(conversation) {
  return /** @type {Turn | null} */ (
    conversation.items.findLast((item) => item.kind === "turn" && item.status === "running") ?? null
  );
}

/** @param {Conversation} conversation @returns {readonly Turn[]} The turns that wait. */
export function queuedTurns(conversation) {
  return /** @type {Turn[]} */ (conversation.items.filter((item) => item.kind === "turn" && item.status === "queued"));
}

/** @param {Conversation} conversation @param {string} chatId @returns {boolean} */
export function hasChat(conversation, chatId) {
  return conversation.items.some((item) => item.kind === "turn" && item.said?.chatId === chatId);
}

/** The text of an answer. @param {Turn} turn @returns {string} */
export function answerText(turn) {
  return turn.parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}
