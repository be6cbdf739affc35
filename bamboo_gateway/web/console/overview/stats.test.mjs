// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleOf, SPAN, Stats } from "./stats.js";

/** An answer of `gateway.stats`, with what the samples read. */
function answer({ appended = 0, live = 0, caughtUp = 0, lag = [0, 0], open = 1 } = {}) {
  return {
    statistics: {
      loop_lag: 0.001,
      connections: { open: open + 6, unauthenticated: 6, behind: 0 },
      deliveries: { live, caught_up: caughtUp },
      registry: { table: { events_appended: appended, turns_running: 2, chats_queued: 1 } },
    },
    histograms: { delivery_lag: { bounds: [0.001], counts: lag, sum: 0 } },
  };
}

test("rates are what two polls have between them, a second", () => {
  const before = { at: 1000, answer: answer({ appended: 10, live: 5 }) };
  const sample = sampleOf(before, { at: 3000, answer: answer({ appended: 30, live: 65, caughtUp: 20 }) });
  assert.deepEqual([sample.appended, sample.delivered, sample.open, sample.running, sample.queued], [10, 40, 1, 2, 1]);
});

test("the first poll has no rates, nor has the first after a restart", () => {
  assert.equal(sampleOf(null, { at: 1, answer: answer() }).appended, null);
  assert.equal(
    sampleOf({ at: 1, answer: answer({ appended: 9 }) }, { at: 2, answer: answer({ appended: 1 }) }).appended,
    null,
  );
});

test("percentiles are of the time between two polls; without observations there are none", () => {
  const before = { at: 0, answer: answer({ lag: [100, 0] }) };
  assert.equal(sampleOf(before, { at: 1, answer: answer({ lag: [100, 0] }) }).lag50, null);
  assert.equal(sampleOf(before, { at: 1, answer: answer({ lag: [102, 0] }) }).lag50, 0.0005);
  assert.equal(sampleOf(before, { at: 1, answer: { ...answer(), histograms: null } }).lag50, null);
});

test("samples older than the span go, and a hole in the time breaks the curve", () => {
  const stats = new Stats();
  stats.take(answer(), 0);
  stats.take(answer({ appended: 4 }), 2000);
  assert.deepEqual(
    stats.samples.value.map((sample) => sample.appended),
    [null, 2],
  );
  stats.take(answer({ appended: 9 }), 60_000);
  assert.deepEqual(
    stats.samples.value.map((sample) => sample.open),
    [1, 1, null, 1],
  );
  stats.take(answer(), SPAN + 30_000);
  assert.deepEqual(
    stats.samples.value.map((sample) => sample.at),
    [59_999, 60_000, SPAN + 29_999, SPAN + 30_000],
  );
});
