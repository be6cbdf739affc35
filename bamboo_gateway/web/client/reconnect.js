// When to try again after a lost connection, and for how long; a pure policy, without clock or chance.

/** More would leave the range of a number, and any bound long before that. */
const MAX_DOUBLINGS = 64;

/**
 * @typedef {object} ReconnectOptions
 * @property {number} [firstInterval] Seconds over which the first attempts are spread. 1 by default.
 * @property {number} [maxInterval] Seconds over which attempts are spread in the end. 30 by default.
 * @property {number | null} [giveUpTimeout] Seconds without success after which the client ends; null: it never
 *   does. 300 by default. Those do not count in which the page slept, or was offline.
 */

/**
 * How a client comes back: exponential backoff with full jitter.
 *
 * The pause before attempt *n*, counted from 0, is a random part of
 * `min(maxInterval, firstInterval * 2**n)`. The first one is random, too: when a
 * gateway restarts, all of its clients lose it at the same moment.
 */
export class Reconnect {
  /** @param {ReconnectOptions} [options] */
  constructor({ firstInterval = 1, maxInterval = 30, giveUpTimeout = 300 } = {}) {
    for (const [name, value] of Object.entries({ firstInterval, maxInterval, giveUpTimeout })) {
      if (value !== null && !(value > 0)) throw new RangeError(`reconnect.${name} must be > 0, not ${value}`);
    }
    this.firstInterval = firstInterval;
    this.maxInterval = maxInterval;
    this.giveUpTimeout = giveUpTimeout ?? Infinity;
  }

  /**
   * Seconds to wait before *attempt*.
   *
   * @param {number} attempt How many have failed since the connection was lost.
   * @param {number} chance A random number from 0 to 1.
   * @param {number | null} [retryAfter] What the gateway asked for. The jitter comes on top: it asked all others, too.
   * @param {number | null} [jitter] What it asked for of that; it knows how many others there are.
   */
  pause(attempt, chance, retryAfter = null, jitter = null) {
    const least = Math.max(0, retryAfter ?? 0);
    if (attempt === 0 && jitter !== null) return least + chance * Math.max(0, jitter);
    const longest = Math.min(this.maxInterval, this.firstInterval * 2 ** Math.min(attempt, MAX_DOUBLINGS));
    return least + chance * longest;
  }
}
