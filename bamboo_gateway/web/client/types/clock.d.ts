export type Clock = {
    /**
     * Seconds since whenever; it never goes back.
     */
    now: () => number;
    /**
     * Act later, or not: what it returns calls it off.
     */
    after: (seconds: number, action: () => void) => () => void;
    /**
     * Act once this task and all that it has set off are through.
     */
    inNextTask: (action: () => void) => void;
};
/**
 * @typedef {object} Clock
 * @property {() => number} now Seconds since whenever; it never goes back.
 * @property {(seconds: number, action: () => void) => () => void} after Act later, or not: what it returns calls it off.
 * @property {(action: () => void) => void} inNextTask Act once this task and all that it has set off are through.
 */
/** @type {Clock} */
export declare const CLOCK: Clock;
/** Seconds by which a timer may be late before it says more about this page than about anything else. */
export declare const LATE = 1;
/**
 * Act once *seconds* are over in which this page was awake.
 *
 * Timers of a page in the background are late, by a minute or, where the page was
 * frozen, by hours; what came meanwhile may not have been looked at yet. So where
 * the timer was late, all is waited for once more.
 *
 * @param {Clock} clock
 * @param {number} seconds
 * @param {() => void} action
 * @returns {() => void} Calls it off.
 */
export declare function afterAwake(clock: Clock, seconds: number, action: () => void): () => void;
