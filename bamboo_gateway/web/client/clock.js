// Time, as the client needs it; tests have their own.

/** Milliseconds that a timer can wait at most. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * @typedef {object} Clock
 * @property {() => number} now Seconds since whenever; it never goes back.
 * @property {(seconds: number, action: () => void) => () => void} after Act later, or not: what it returns calls it off.
 * @property {(action: () => void) => void} inNextTask Act once this task and all that it has set off are through.
 */

/** @type {Clock} */
export const CLOCK = {
  now: () => performance.now() / 1000,
  after: (seconds, action) => {
    const timer = setTimeout(action, Math.min(MAX_TIMER, Math.max(0, seconds * 1000)));
    return () => clearTimeout(timer);
  },
  inNextTask: (action) => {
    // No timer: those of a page in the background may wait for a minute.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      action();
    };
    port2.postMessage(null);
  },
};

/** Seconds by which a timer may be late before it says more about this page than about anything else. */
export const LATE = 1;

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
export function afterAwake(clock, seconds, action) {
  const due = clock.now() + seconds;
  let callOff = clock.after(seconds, () => {
    if (clock.now() <= due + LATE) action();
    else callOff = clock.after(seconds, action);
  });
  return () => callOff();
}
