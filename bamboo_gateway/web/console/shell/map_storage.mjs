// A browser's storage in a map, for tests that run without a browser.

/** A `Storage`, as much of it as is used, and what is in it. */
export function mapStorage() {
  const items = /** @type {Map<string, string>} */ (new Map());
  return {
    items,
    getItem: (/** @type {string} */ name) => items.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void items.set(name, text),
    removeItem: (/** @type {string} */ name) => void items.delete(name),
    key: (/** @type {number} */ index) => [...items.keys()][index] ?? null,
    get length() {
      return items.size;
    },
  };
}
