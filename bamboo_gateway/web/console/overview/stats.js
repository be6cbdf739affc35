// The gateway's measurements over the last minutes: what two polls have between them.
import { signal } from "../../vendor/signals/signals.js";
import { percentile, since } from "./histogram.js";

/** Milliseconds that are kept. */
export const SPAN = 5 * 60_000;

/** Milliseconds without a poll, from which on two samples are not joined by a line. */
const HOLE = 10_000;

/**
 * One point of every curve; null where nothing was measured. Rates are per second, times are seconds.
 * @typedef {{
 *   at: number, open: number | null, behind: number | null, appended: number | null, delivered: number | null,
 *   lag50: number | null, lag99: number | null, commit50: number | null, commit99: number | null,
 *   running: number | null, queued: number | null, loop99: number | null, loop: number | null,
 * }} Sample */

/** @typedef {{at: number, answer: any}} Poll */

/**
 * @param {Poll | null} before @param {Poll} now
 * @returns {Sample}
 */
export function sampleOf(before, now) {
  const { statistics, histograms } = now.answer;
  const table = statistics.registry.table;
  const seconds = before ? (now.at - before.at) / 1000 : 0;
  const rate = (/** @type {(statistics: any) => number} */ pick) => {
    const change = before ? pick(statistics) - pick(before.answer.statistics) : -1;
    return change < 0 || seconds <= 0 ? null : change / seconds;
  };
  const part = (/** @type {string} */ name, /** @type {number} */ share) => {
    const current = histograms?.[name];
    return before && current ? percentile(since(before.answer.histograms?.[name], current), share) : null;
  };
  return {
    at: now.at,
    // A browser keeps sockets open for its next request; they are of nobody who came in.
    open: statistics.connections.open - statistics.connections.unauthenticated,
    behind: statistics.connections.behind,
    appended: rate((each) => each.registry.table.events_appended),
    delivered: rate((each) => each.deliveries.live + each.deliveries.caught_up),
    lag50: part("delivery_lag", 0.5),
    lag99: part("delivery_lag", 0.99),
    commit50: part("commit_time", 0.5),
    commit99: part("commit_time", 0.99),
    running: table.turns_running,
    queued: table.chats_queued,
    loop99: part("loop_lag", 0.99),
    loop: statistics.loop_lag,
  };
}

/** A point that draws nothing: it breaks the line. @param {number} at @returns {Sample} */
function holeAt(at) {
  return {
    at,
    open: null,
    behind: null,
    appended: null,
    delivered: null,
    lag50: null,
    lag99: null,
    commit50: null,
    commit99: null,
    running: null,
    queued: null,
    loop99: null,
    loop: null,
  };
}

/** Keeps the samples of the last minutes. Invariant: they rise in time. */
export class Stats {
  constructor() {
    this.last = /** @type {Poll | null} */ (null);
    this.answer = signal(/** @type {any} */ (null));
    this.samples = signal(/** @type {readonly Sample[]} */ ([]));
  }

  /** Begin anew: what was measured may not be for the next one to see. */
  forget() {
    this.last = null;
    this.answer.value = null;
    this.samples.value = [];
  }

  /** @param {any} answer Of `gateway.stats`. @param {number} at Unix milliseconds. */
  take(answer, at) {
    const now = { at, answer };
    const isHole = this.last !== null && at - this.last.at > HOLE;
    const sample = sampleOf(isHole ? null : this.last, now);
    const kept = this.samples.value.filter((each) => each.at > at - SPAN);
    this.samples.value = [...kept, ...(isHole && kept.length ? [holeAt(at - 1)] : []), sample];
    this.answer.value = answer;
    this.last = now;
  }
}
