// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile, since, total } from "./histogram.js";

const histogram = (counts, bounds = [1, 2, 4]) => ({ bounds, counts, sum: 0 });

test("the difference of two looks is what was counted between them", () => {
  assert.deepEqual(since(histogram([1, 0, 2, 0]), histogram([3, 1, 2, 4])).counts, [2, 1, 0, 4]);
  assert.deepEqual(since(null, histogram([1, 2, 3, 4])).counts, [1, 2, 3, 4]);
});

test("after a restart, all is new", () => {
  assert.deepEqual(since(histogram([9, 9, 9, 9]), histogram([1, 0, 0, 0])).counts, [1, 0, 0, 0]);
  assert.deepEqual(since({ bounds: [1], counts: [1, 1], sum: 0 }, histogram([1, 0, 0, 0])).counts, [1, 0, 0, 0]);
});

test("a percentile lies inside of its bucket", () => {
  assert.equal(percentile(histogram([10, 0, 0, 0]), 0.5), 0.5);
  assert.equal(percentile(histogram([0, 10, 0, 0]), 0.5), 1.5);
  assert.equal(percentile(histogram([5, 0, 5, 0]), 0.99), 2 + 2 * (4.9 / 5));
  assert.equal(percentile(histogram([1, 1, 1, 1]), 1), 4, "above the last bound, that bound is all that is known");
});

test("of nothing there is no percentile", () => {
  assert.equal(percentile(histogram([0, 0, 0, 0]), 0.5), null);
  assert.equal(total(histogram([1, 2, 3, 4])), 10);
});
