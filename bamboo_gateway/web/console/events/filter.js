// Which frames are shown.
import { lineOf } from "./recorder.js";

/** *types* and *labels*: what is hidden of them. *text* is looked for in the whole message, in any case.
 * @typedef {{text: string, direction: "both" | "in" | "out", hiddenTypes: ReadonlySet<string>, hiddenLabels: ReadonlySet<string>}} Filter */

/** @type {Filter} */
export const ALL = { text: "", direction: "both", hiddenTypes: new Set(), hiddenLabels: new Set() };

/**
 * @param {readonly import("./recorder.js").Entry[]} entries Oldest first.
 * @param {Filter} filter
 * @returns {import("./recorder.js").Entry[]} Newest first.
 */
export function selected(entries, filter) {
  const text = filter.text.trim().toLowerCase();
  return entries
    .filter(
      (entry) =>
        (filter.direction === "both" || entry.direction === filter.direction) &&
        !filter.hiddenTypes.has(entry.type) &&
        !filter.hiddenLabels.has(entry.label) &&
        (text === "" || lineOf(entry).toLowerCase().includes(text)),
    )
    .reverse();
}

/**
 * How many there are of each kind, most first.
 *
 * @param {readonly import("./recorder.js").Entry[]} entries @param {(entry: import("./recorder.js").Entry) => string} kindOf
 * @returns {[string, number][]}
 */
export function countsOf(entries, kindOf) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const entry of entries) counts.set(kindOf(entry), (counts.get(kindOf(entry)) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
}

/** @param {ReadonlySet<string>} set @param {string} item @returns {Set<string>} */
export function toggled(set, item) {
  const changed = new Set(set);
  if (!changed.delete(item)) changed.add(item);
  return changed;
}

/** One JSON object a line, oldest first, as other tools read it. @param {readonly import("./recorder.js").Entry[]} newestFirst @returns {string} */
export function asLines(newestFirst) {
  return newestFirst
    .toReversed()
    .map((entry) =>
      JSON.stringify({ at: entry.at, connection: entry.label, direction: entry.direction, message: entry.message }),
    )
    .join("\n");
}
