// The newest of many.

/** Keeps the newest *size* items. @template T */
export class Ring {
  /** @param {number} size */
  constructor(size) {
    this.size = size;
    /** @type {T[]} */
    this.slots = [];
    this.start = 0;
  }

  /** @param {T} item */
  push(item) {
    if (this.slots.length < this.size) {
      this.slots.push(item);
      return;
    }
    this.slots[this.start] = item;
    this.start = (this.start + 1) % this.size;
  }

  clear() {
    this.slots = [];
    this.start = 0;
  }

  /** @returns {T[]} Oldest first. */
  list() {
    return [...this.slots.slice(this.start), ...this.slots.slice(0, this.start)];
  }
}
