// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL, asLines, countsOf, selected, toggled } from "./filter.js";
import { BUDGET, entryOf, Recorder } from "./recorder.js";
import { Ring } from "./ring.js";

const entry = (number, message, direction = "in", label = "session") =>
  entryOf(number, label, { direction, message, bytes: 10, at: number });
const ENTRIES = [
  entry(1, { type: "command", name: "session.list" }, "out", "control"),
  entry(2, { type: "agent_token", session_id: "s", token: "Hello", seq: 4, run_id: "r" }),
  entry(3, { type: "agent_token", session_id: "s", token: "World", seq: 5, run_id: "r" }),
];
const numbers = (filter) => selected(ENTRIES, { ...ALL, ...filter }).map((each) => each.number);

test("a ring keeps the newest, in order", () => {
  const ring = new Ring(3);
  for (const item of [1, 2, 3, 4, 5]) ring.push(item);
  assert.deepEqual(ring.list(), [3, 4, 5]);
  ring.clear();
  assert.deepEqual(ring.list(), []);
});

test("a ring of a budget drops the oldest when the new ones are heavy, but never the newest", () => {
  const ring = new Ring(100, 10, (item) => item);
  for (const item of [1, 2, 3, 4]) ring.push(item);
  assert.deepEqual([ring.list(), ring.hasDropped], [[1, 2, 3, 4], false]);
  ring.push(5);
  assert.deepEqual([ring.list(), ring.weight, ring.hasDropped], [[4, 5], 9, true]);
  ring.push(50);
  assert.deepEqual(ring.list(), [50]);
  ring.push(6);
  assert.deepEqual([ring.list(), ring.weight], [[6], 6]);
  for (let count = 0; count < 1000; count += 1) ring.push(1);
  assert.equal(ring.length, 10);
  assert.ok(ring.items.length < 200, "what was dropped is given back");
});

test("frames are kept by their size, too: a thousand large ones do not fill the memory", () => {
  globalThis.window ??= globalThis;
  const recorder = new Recorder();
  for (let count = 0; count < 1000; count += 1)
    recorder.take("session", { direction: "in", message: { type: "pong" }, bytes: 1024 * 1024, at: count });
  assert.equal(recorder.ring.length, BUDGET / 1024 / 1024);
  recorder.tell();
});

test("an entry has what is looked at often", () => {
  assert.deepEqual([ENTRIES[1].seq, ENTRIES[1].runId, ENTRIES[1].session, ENTRIES[1].channel], [4, "r", "s", null]);
  assert.equal(entryOf(1, "x", { direction: "in", message: null, bytes: 0, at: 0 }).type, "?");
});

test("frames are filtered by text, direction, type and connection, newest first", () => {
  assert.deepEqual(numbers({}), [3, 2, 1]);
  assert.deepEqual(numbers({ text: " hello " }), [2]);
  assert.deepEqual(numbers({ direction: "out" }), [1]);
  assert.deepEqual(numbers({ hiddenTypes: new Set(["agent_token"]) }), [1]);
  assert.deepEqual(numbers({ hiddenLabels: toggled(new Set(), "control") }), [3, 2]);
  assert.deepEqual(numbers({ hiddenLabels: toggled(new Set(["control"]), "control") }), [3, 2, 1]);
});

test("types are counted, most first", () => {
  assert.deepEqual(
    countsOf(ENTRIES, (each) => each.type),
    [
      ["agent_token", 2],
      ["command", 1],
    ],
  );
});

test("a copy has one JSON object a line, oldest first", () => {
  const lines = asLines(selected(ENTRIES, ALL))
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => [line.at, line.connection, line.direction]),
    [
      [1, "control", "out"],
      [2, "session", "in"],
      [3, "session", "in"],
    ],
  );
  assert.deepEqual(lines[1].message, ENTRIES[1].message);
});

/** As a client, as far as a recorder uses it. */
class FakeClient {
  on(_, handler) {
    this.hear = (number) => handler({ direction: "in", message: { type: "pong" }, bytes: 10, at: number });
  }
}

test("for somebody else it begins anew, and hears no more of the clients before", () => {
  globalThis.window ??= globalThis;
  const recorder = new Recorder();
  const [before, after] = [new FakeClient(), new FakeClient()];
  recorder.follow(before, "old");
  before.hear(1);
  recorder.pause(true);
  recorder.forget();
  before.hear(2);
  assert.deepEqual([recorder.ring.list(), recorder.isPaused.value], [[], false]);
  recorder.follow(after, "new");
  after.hear(3);
  assert.deepEqual(
    recorder.ring.list().map((each) => each.label),
    ["new"],
  );
  recorder.tell();
});
