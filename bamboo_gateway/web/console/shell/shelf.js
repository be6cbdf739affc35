// A browser's storage, under a prefix of our own; where a browser forbids it, the page's memory.

/** What all names begin with: a page at the same address may have a storage of its own. */
const PREFIX = "bamboo.";

/** Small texts by name. Invariant: it never throws, whatever the browser says of its storage. */
export class Shelf {
  /** @param {() => Storage} storage Called each time: a browser may forbid even to look. */
  constructor(storage) {
    this.storage = storage;
    /** @type {Map<string, string>} */
    this.memory = new Map();
    /** How often it was cleared: who remembers what it was can tell that their things are gone. */
    this.clearings = 0;
  }

  /** @param {string} name @returns {string | null} */
  get(name) {
    try {
      return this.storage().getItem(PREFIX + name) ?? this.memory.get(name) ?? null;
    } catch {
      return this.memory.get(name) ?? null;
    }
  }

  /** @param {string} name @param {string | null} text Null takes it away. */
  set(name, text) {
    if (text === null) this.memory.delete(name);
    else this.memory.set(name, text);
    try {
      if (text === null) this.storage().removeItem(PREFIX + name);
      else this.storage().setItem(PREFIX + name, text);
    } catch {
      // It is full or forbidden: the memory has it for as long as the page lives.
    }
  }

  /** Take away all that is ours. */
  clear() {
    this.clearings += 1;
    this.memory.clear();
    try {
      const storage = this.storage();
      const names = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      for (const name of names) if (name.startsWith(PREFIX)) storage.removeItem(name);
    } catch {
      // Where it is forbidden, nothing of ours is in there.
    }
  }

  /** What was put by as JSON; null where there is nothing that makes sense. @param {string} name @returns {any} */
  read(name) {
    try {
      return JSON.parse(this.get(name) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {unknown} value */
  write(name, value) {
    this.set(name, value === null ? null : JSON.stringify(value));
  }
}
