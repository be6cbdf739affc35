// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, withEvent } from "./channel_messages.js";

const message = (seq, content = `m${seq}`) => ({
  type: "channel_message",
  channel: "news",
  seq,
  content,
  user_id: "ann",
  ts: seq,
});

test("messages of the channel are kept, once each; others are not", () => {
  let lines = [];
  for (const event of [
    message(1),
    message(2),
    message(2),
    { ...message(3), channel: "other" },
    { type: "agent_token", seq: 4 },
  ])
    lines = withEvent(lines, event, "news");
  assert.deepEqual(
    lines.map((line) => line.content),
    ["m1", "m2"],
  );
});

test("a gap is told in its place", () => {
  const gap = { type: "gap", channel: "news", requested: 1, earliest: 5, latest: 9, epoch: "e" };
  const [line] = withEvent([], gap, "news");
  assert.deepEqual([line.kind, line.content], ["gap", "4 older messages are no longer in the channel's log"]);
});

test("no more than so many are kept", () => {
  let lines = [];
  for (let seq = 1; seq <= KEPT + 5; seq += 1) lines = withEvent(lines, message(seq), "news");
  assert.equal(lines.length, KEPT);
  assert.equal(lines[0].content, "m6");
});

test("where the log begins anew, so do its numbers, and no message is taken for an old one", () => {
  const anew = { type: "gap", channel: "news", requested: 2, earliest: 1, latest: 2, epoch: "f" };
  const events = [message(1), message(2), anew, message(1, "n1"), message(2, "n2"), message(2, "n2"), anew, message(1)];
  const lines = events.reduce((now, event) => withEvent(now, event, "news"), []);
  assert.deepEqual(
    lines.map((line) => (line.kind === "gap" ? "-" : line.content)),
    ["m1", "m2", "-", "n1", "n2", "-", "m1"],
  );
  assert.equal(new Set(lines.map((line) => line.key)).size, lines.length);
});

test("gaps count among those that are kept, and what a gap has begun outlives its line", () => {
  const anew = { type: "gap", channel: "news", requested: 2, earliest: 1, latest: 2, epoch: "f" };
  let lines = [];
  for (let count = 0; count < KEPT + 5; count += 1) lines = withEvent(lines, anew, "news");
  assert.equal(lines.length, KEPT);
  for (let seq = 1; seq <= KEPT; seq += 1) lines = withEvent(lines, message(seq), "news");
  assert.equal(withEvent(lines, message(KEPT), "news"), lines);
  assert.equal(lines.every((line) => line.kind === "message"), true);
});
