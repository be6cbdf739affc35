// The newest of many.

/** Keeps the newest items: at most *size*, and at most as many as weigh *budget* together; the very newest always. @template T */
export class Ring {
  /** @param {number} size @param {number} [budget] @param {(item: T) => number} [weigh] */
  constructor(size, budget = Infinity, weigh = () => 0) {
    this.size = size;
    this.budget = budget;
    this.weigh = weigh;
    /** From `start` on; what was dropped before it is empty. @type {T[]} */
    this.items = [];
    this.start = 0;
    this.weight = 0;
    /** Was there more than is kept? */
    this.hasDropped = false;
  }

  /** @param {T} item */
  push(item) {
    this.items.push(item);
    this.weight += this.weigh(item);
    while (this.length > this.size || (this.weight > this.budget && this.length > 1)) this.drop();
    // To shift each time would move all of them each time.
    if (this.start > this.size) {
      this.items.splice(0, this.start);
      this.start = 0;
    }
  }

  drop() {
    const oldest = /** @type {T} */ (this.items[this.start]);
    this.weight -= this.weigh(oldest);
    delete this.items[this.start];
    this.start += 1;
    this.hasDropped = true;
  }

  clear() {
    this.items = [];
    this.start = 0;
    this.weight = 0;
    this.hasDropped = false;
  }

  get length() {
    return this.items.length - this.start;
  }

  /** @returns {T[]} Oldest first. */
  list() {
    return this.items.slice(this.start);
  }
}
