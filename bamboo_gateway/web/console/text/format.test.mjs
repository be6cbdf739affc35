// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ago,
  bytes,
  compact,
  distinctTitle,
  duration,
  excerpt,
  plural,
  preciseClock,
  pretty,
  sentence,
  sessionTitle,
  shortId,
} from "./format.js";

const table = (format, rows) => rows.forEach(([input, text]) => assert.equal(format(input), text, String(input)));

test("bytes", () =>
  table(bytes, [
    [0, "0 B"],
    [999, "999 B"],
    [1500, "1.5 KB"],
    [123456, "123 KB"],
    [2.5e6, "2.5 MB"],
    [3e12, "3.0 TB"],
    [5e15, "5000 TB"],
  ]));
test("compact", () =>
  table(compact, [
    [0, "0"],
    [0.42, "0.4"],
    [12, "12"],
    [12.34, "12.3"],
    [1234, "1,234"],
    [12345, "12.3k"],
    [3.4e6, "3.4M"],
  ]));
test("duration", () =>
  table(duration, [
    [0, "0 ms"],
    [0.0000004, "1 µs"],
    [0.00032, "320 µs"],
    [0.0042, "4.2 ms"],
    [0.042, "42 ms"],
    [0.9999, "1 s"],
    [1.34, "1.3 s"],
    [12.6, "13 s"],
    [59.99, "1 min"],
    [245, "4 min 5 s"],
    [3600, "1 h"],
    [11520, "3 h 12 min"],
    [187200, "2 d 4 h"],
  ]));
test("ago", () =>
  table(
    (seconds) => ago(0, seconds * 1000),
    [
      [-5, "just now"],
      [3, "just now"],
      [40, "40 s ago"],
      [125, "2 min ago"],
      [7300, "2 h ago"],
      [90000, "yesterday"],
      [260000, "3 days ago"],
    ],
  ));
test("plural", () =>
  assert.deepEqual(
    [plural(1, "session"), plural(2, "session"), plural(1000, "watch", "watches")],
    ["1 session", "2 sessions", "1,000 watches"],
  ));
test("sessions and ids", () => {
  assert.equal(sessionTitle({ session_id: "0123456789abcdef", name: null }), "Session 01234567");
  assert.equal(sessionTitle({ session_id: "x", name: "Oslo" }), "Oslo");
  assert.equal(shortId("short"), "short");
  const [oslo, other] = [
    { session_id: "x", name: "Oslo" },
    { session_id: "y", name: "Oslo" },
  ];
  assert.deepEqual([distinctTitle(oslo, [oslo]), distinctTitle(oslo, [oslo, other])], ["Oslo", "Oslo (x)"]);
});
test("excerpt", () =>
  table(
    (text) => excerpt(text, 10),
    [
      ["a\n b", "a b"],
      ["0123456789", "0123456789"],
      ["0123456789a", "012345678…"],
    ],
  ));
test("sentence", () =>
  table(sentence, [
    ["the turn failed", "The turn failed."],
    ["Why?", "Why?"],
    ["", ""],
    ["session.list failed", "session.list failed."],
    ["x", "x."],
  ]));
test("pretty", () =>
  table(pretty, [
    [{ a: 1 }, '{\n  "a": 1\n}'],
    ["[1]", "[\n  1\n]"],
    ["{broken", "{broken"],
    ["text", "text"],
    [null, "null"],
  ]));
test("preciseClock has milliseconds", () => assert.match(preciseClock(1767225600042), /^\d\d:\d\d:\d\d\.042$/));
