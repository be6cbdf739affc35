export type ReconnectOptions = {
    /**
     * Seconds over which the first attempts are spread. 1 by default.
     */
    firstInterval?: number;
    /**
     * Seconds over which attempts are spread in the end. 30 by default.
     */
    maxInterval?: number;
    /**
     * Seconds without success after which the client ends; null: it never
     * does. 300 by default. Those do not count in which the page slept, or was offline.
     */
    giveUpTimeout?: number | null;
};
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
export declare class Reconnect {
    firstInterval: number;
    maxInterval: number;
    giveUpTimeout: number;
    /** @param {ReconnectOptions} [options] */
    constructor({ firstInterval, maxInterval, giveUpTimeout }?: ReconnectOptions);
    /**
     * Seconds to wait before *attempt*.
     *
     * @param {number} attempt How many have failed since the connection was lost.
     * @param {number} chance A random number from 0 to 1.
     * @param {number | null} [retryAfter] What the gateway asked for. The jitter comes on top: it asked all others, too.
     * @param {number | null} [jitter] What it asked for of that; it knows how many others there are.
     */
    pause(attempt: number, chance: number, retryAfter?: number | null, jitter?: number | null): number;
}
