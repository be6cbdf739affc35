// Asking again and again, for as long as somebody looks.
import { useEffect, useRef, useState } from "../../vendor/preact/hooks.js";

/**
 * Run *ask* at once, and again *interval* ms after each time it is done, while the page is visible.
 *
 * @param {() => Promise<void>} ask @param {number} interval @param {readonly unknown[]} inputs Another one asks at once.
 * @returns {() => void} Asks now.
 */
export function usePoll(ask, interval, inputs) {
  const latest = useRef(ask);
  latest.current = ask;
  const again = useRef(() => {});
  useEffect(() => {
    let timer = 0;
    let alive = true;
    let round = 0;
    let asked = -Infinity;
    const run = async () => {
      clearTimeout(timer);
      const own = (round += 1);
      if (document.visibilityState === "visible") {
        asked = performance.now();
        await latest.current().catch(() => {});
      }
      if (alive && own === round) timer = window.setTimeout(run, interval);
    };
    again.current = () => void run();
    // Who looks at it again sees what is now, but going to and fro asks no more often.
    const onVisible = () =>
      document.visibilityState === "visible" && performance.now() - asked >= interval && void run();
    document.addEventListener("visibilitychange", onVisible);
    void run();
    return () => {
      alive = false;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, inputs);
  return () => again.current();
}

/** The time in Unix milliseconds, anew each *interval* ms. @param {number} interval @returns {number} */
export function useNow(interval) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}
