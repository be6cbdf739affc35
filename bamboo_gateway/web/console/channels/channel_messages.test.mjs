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
