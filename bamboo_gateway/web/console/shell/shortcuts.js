// The keys of the console: one table, which the help dialog shows.

/** @typedef {{keys: string, does: string, run?: () => void}} Shortcut */

/**
 * Runs what a key stands for. Invariant: while somebody types, or a dialog is open,
 * a letter is a letter.
 */
export class Shortcuts {
  constructor() {
    /** @type {Map<string, () => void>} */
    this.table = new Map();
    this.prefix = "";
  }

  /** @param {string} keys Such as `?` or `g s`. @param {() => void} run @returns {() => void} Takes it away again. */
  add(keys, run) {
    this.table.set(keys, run);
    return () => {
      if (this.table.get(keys) === run) this.table.delete(keys);
    };
  }

  /** @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean, target: any, preventDefault: () => void}} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const keys = this.prefix ? `${this.prefix} ${event.key}` : event.key;
    const run = this.table.get(keys);
    this.prefix = !this.prefix && event.key === "g" ? "g" : "";
    if (!run) return;
    event.preventDefault();
    run();
  }
}

/** @param {any} target @returns {boolean} */
function isTyping(target) {
  return Boolean(target?.closest?.("input, textarea, select, [contenteditable], dialog"));
}

/** What the help dialog lists, by where it holds. @type {ReadonlyArray<{title: string, rows: ReadonlyArray<[string, string]>}>} */
export const KEYS = [
  {
    title: "Everywhere",
    rows: [
      ["g s", "Sessions"],
      ["g c", "Chat"],
      ["g h", "Channels"],
      ["g o", "Overview"],
      ["g e", "Events"],
      ["t", "Change the theme"],
      ["?", "This help"],
      ["Esc", "Close what is open"],
    ],
  },
  {
    title: "Sessions",
    rows: [
      ["n", "New session"],
      ["/", "Search"],
    ],
  },
  {
    title: "Chat",
    rows: [
      ["Enter", "Send"],
      ["Shift Enter", "New line"],
      ["c", "Go to the message field"],
      ["Esc", "Abort the answer"],
      ["End", "Jump to the newest"],
    ],
  },
  {
    title: "Events",
    rows: [
      ["p", "Pause or go on"],
      ["/", "Filter by text"],
    ],
  },
];
