// What a histogram tells of the time between two looks at it.

/** *counts* has one more than *bounds*; both are cumulative since the gateway's start, not over the buckets.
 * @typedef {{bounds: readonly number[], counts: readonly number[], sum: number}} Histogram */

/**
 * What was counted between *before* and *now*. After a restart the counts are smaller: then all of them are new.
 *
 * @param {Histogram | null | undefined} before @param {Histogram} now @returns {Histogram}
 */
export function since(before, now) {
  if (!before || before.counts.length !== now.counts.length) return now;
  const counts = now.counts.map((count, index) => count - (before.counts[index] ?? 0));
  return counts.some((count) => count < 0) ? now : { bounds: now.bounds, counts, sum: now.sum - before.sum };
}

/** @param {Histogram} histogram @returns {number} How many were counted. */
export function total({ counts }) {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * The value that *share* of all do not exceed, estimated evenly inside of its bucket; above the last bound, that
 * bound. Null: nothing was counted.
 *
 * @param {Histogram} histogram @param {number} share From 0 to 1. @returns {number | null}
 */
export function percentile(histogram, share) {
  const wanted = share * total(histogram);
  if (wanted <= 0) return null;
  let passed = 0;
  for (const [index, count] of histogram.counts.entries()) {
    if (count > 0 && passed + count >= wanted) {
      const low = index === 0 ? 0 : /** @type {number} */ (histogram.bounds[index - 1]);
      const high = histogram.bounds[index] ?? low;
      return low + (high - low) * ((wanted - passed) / count);
    }
    passed += count;
  }
  return histogram.bounds.at(-1) ?? null;
}
