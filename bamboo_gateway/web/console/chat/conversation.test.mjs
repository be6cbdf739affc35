// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  answerText,
  applied,
  coalesced,
  fromHistory,
  hasChat,
  NOTHING,
  partsOf,
  prepend,
  queuedTurns,
  reloaded,
  runningTurn,
} from "./conversation.js";

const user = (run, content, ts = 1) => ({
  role: "user",
  content,
  run_id: run,
  ts,
  status: "complete",
  tool_calls: [],
  truncated: false,
});
const assistant = (run, content, more = {}) => ({
  role: "assistant",
  content,
  run_id: run,
  ts: 2,
  status: "complete",
  tool_calls: [],
  truncated: false,
  ...more,
});
const page = (messages, more = {}) => ({ messages, first: 0, has_more: false, seq: 0, queued: [], ...more });

/** A log: each event gets the next `seq`. */
function log(...events) {
  return events.map((event, index) => ({ session_id: "s", ts: 1000 + index, ...event, seq: index + 1 }));
}
const TURN = log(
  { type: "user_message", run_id: "r1", content: "Weather?", id: "c1" },
  { type: "agent_start", run_id: "r1" },
  { type: "agent_token", run_id: "r1", token: "It is " },
  { type: "agent_tool_start", run_id: "r1", tool: "weather", tool_call_id: "t1", args: { city: "Oslo" } },
  { type: "agent_tool_complete", run_id: "r1", tool: "weather", tool_call_id: "t1", result: "sunny", ok: true },
  { type: "agent_token", run_id: "r1", token: "sun" },
  { type: "agent_token", run_id: "r1", token: "ny." },
  { type: "agent_complete", run_id: "r1", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
);

test("a turn grows from its events: question, text, calls in their place, end", () => {
  const { items } = applied(NOTHING, TURN);
  assert.equal(items.length, 1);
  const [turn] = items;
  assert.equal(turn.said.content, "Weather?");
  assert.deepEqual(
    turn.parts.map((part) => part.text ?? part.call.tool),
    ["It is ", "weather", "sunny."],
  );
  assert.deepEqual([turn.status, turn.startedAt, turn.endedAt, turn.usage.total_tokens], ["complete", 1001, 1007, 3]);
  const { call } = turn.parts[1];
  assert.deepEqual([call.result, call.ok, call.startedAt, call.completedAt], ["sunny", true, 1003, 1004]);
});

test("however the log is cut between history and events, the answer is the same", () => {
  const whole = applied(NOTHING, TURN);
  for (let seq = 2; seq <= TURN.length; seq += 1) {
    const { parts, status } = applied(NOTHING, TURN.slice(0, seq)).items[0];
    const calls = parts
      .filter((part) => part.kind === "call")
      .map(({ call }) => ({
        id: call.id,
        tool: call.tool,
        args: call.args,
        result: call.result,
        ok: call.ok,
        started_at: call.startedAt,
        completed_at: call.completedAt,
        position: 6,
      }));
    const text = parts.map((part) => part.text ?? "").join("");
    const history = page([user("r1", "Weather?"), assistant("r1", text, { status, tool_calls: calls })], { seq });
    const conversation = applied(fromHistory(history), TURN); // all of the log: what is in the history is passed over
    assert.deepEqual(conversation.items[0].parts, whole.items[0].parts, `cut after ${seq}`);
    assert.equal(conversation.items[0].status, "complete");
  }
});

test("events that were applied before change nothing", () => {
  const once = applied(NOTHING, TURN);
  assert.equal(applied(once, TURN), once);
});

test("events of channels' logs are no part of the conversation", () => {
  const message = { type: "agent_token", channel: "*", seq: 1, token: "hello", session_id: "s" };
  assert.equal(applied(NOTHING, [message]), NOTHING);
});

test("chats that wait stand in order behind the running turn, whose answer stays with its question", () => {
  const conversation = applied(
    NOTHING,
    log(
      { type: "user_message", run_id: "r1", content: "one", id: "c1" },
      { type: "agent_start", run_id: "r1" },
      { type: "user_message", run_id: "r2", content: "two", id: "c2" },
      { type: "user_message", run_id: "r3", content: "three", id: "c3" },
      { type: "agent_token", run_id: "r1", token: "answer" },
    ),
  );
  assert.equal(runningTurn(conversation).runId, "r1");
  assert.deepEqual(
    queuedTurns(conversation).map((turn) => turn.said.content),
    ["two", "three"],
  );
  assert.equal(answerText(conversation.items[0]), "answer");
  assert.ok(hasChat(conversation, "c3"));
  assert.ok(!hasChat(conversation, "c4"));
});

test("chats that wait are read from the history, too", () => {
  const conversation = fromHistory(
    page([user("r1", "one"), assistant("r1", "", { status: "running" })], {
      seq: 3,
      queued: [{ run_id: "r2", content: "two", id: "c2" }],
    }),
  );
  assert.deepEqual(
    queuedTurns(conversation).map((turn) => turn.said.chatId),
    ["c2"],
  );
  const begun = applied(conversation, [{ type: "agent_start", run_id: "r2", seq: 4, ts: 5, session_id: "s" }]);
  assert.equal(begun.items.length, 2);
  assert.equal(begun.items[1].status, "running");
});

test("a failed turn has its error, an interrupted one says so, and an aborted chat that waited ends as well", () => {
  const failed = applied(
    NOTHING,
    log(
      { type: "user_message", run_id: "r1", content: "x" },
      { type: "error", run_id: "r1", code: "AGENT_ABORTED", message: "no" },
    ),
  );
  assert.deepEqual([failed.items[0].status, failed.items[0].error.code], ["failed", "AGENT_ABORTED"]);
  const cut = applied(
    NOTHING,
    log(
      { type: "agent_start", run_id: "r1" },
      { type: "error", run_id: "r1", code: "AGENT_INTERRUPTED", message: "no" },
    ),
  );
  assert.equal(cut.items[0].status, "interrupted");
});

test("what an embedding program says outside of turns stands on its own", () => {
  const conversation = applied(
    NOTHING,
    log(
      { type: "agent_token", token: "Hello " },
      { type: "agent_token", token: "there" },
      { type: "user_message", run_id: "r1", content: "x" },
      { type: "agent_token", token: "again" },
    ),
  );
  assert.deepEqual(
    conversation.items.map((item) => [item.runId, item.status, answerText(item)]),
    [
      [null, "complete", "Hello there"],
      ["r1", "queued", ""],
      [null, "complete", "again"],
    ],
  );
  assert.equal(new Set(conversation.items.map((item) => item.key)).size, 3);
});

test("neighbouring tokens of one turn are joined, and the last one's seq counts", () => {
  const [, , , ...rest] = coalesced(TURN);
  const joined = coalesced(
    log(
      { type: "agent_token", run_id: "a", token: "1" },
      { type: "agent_token", run_id: "a", token: "2" },
      { type: "agent_token", run_id: "b", token: "3" },
    ),
  );
  assert.deepEqual(
    joined.map(({ token, seq, ts }) => [token, seq, ts]),
    [
      ["12", 2, 1000],
      ["3", 3, 1002],
    ],
  );
  assert.equal(rest.length, 4);
});

test("an older page goes in front; a turn that two pages share is one", () => {
  const newest = fromHistory(
    page([assistant("r2", "two"), user("r3", "three"), assistant("r3", "3")], { first: 3, has_more: true, seq: 9 }),
  );
  const both = prepend(
    newest,
    page([user("r1", "one"), assistant("r1", "1"), user("r2", "two?")], { first: 0, seq: 9 }),
  );
  assert.deepEqual(
    both.items.map((item) => [item.runId, item.said?.content, answerText(item)]),
    [
      ["r1", "one", "1"],
      ["r2", "two?", "two"],
      ["r3", "three", "3"],
    ],
  );
  assert.deepEqual([both.first, both.hasMore, both.seq], [0, false, 9]);
});

test("after a gap the newest page stands, then the note, then what waits", () => {
  const note = { kind: "gap", key: "gap-1", count: 3 };
  const { items } = reloaded(
    page([user("r1", "one"), assistant("r1", "1")], { queued: [{ run_id: "r2", content: "two", id: null }] }),
    note,
  );
  assert.deepEqual(
    items.map((item) => item.key),
    ["r1", "gap-1", "r2"],
  );
});

test("calls stand where they were made, counted in code points; those of old messages come first", () => {
  const call = (id) => ({ id, tool: id, args: null, result: null, ok: null, startedAt: null, completedAt: null });
  const shape = (parts) => parts.map((part) => part.text ?? `<${part.call.id}>`);
  assert.deepEqual(
    shape(
      partsOf("🎋ab", [
        { call: call("x"), position: 1 },
        { call: call("y"), position: 2 },
      ]),
    ),
    ["🎋", "<x>", "a", "<y>", "b"],
  );
  assert.deepEqual(shape(partsOf("text", [{ call: call("x"), position: null }])), ["<x>", "text"]);
  assert.deepEqual(
    shape(
      partsOf("ab", [
        { call: call("x"), position: 2 },
        { call: call("y"), position: 9 },
      ]),
    ),
    ["ab", "<x>", "<y>"],
  );
});

test("a result without its start is a call of its own", () => {
  const { items } = applied(
    NOTHING,
    log({ type: "agent_tool_complete", run_id: "r1", tool: "t", result: "x", ok: false }),
  );
  assert.deepEqual([items[0].parts[0].call.ok, items[0].parts[0].call.startedAt], [false, null]);
});
