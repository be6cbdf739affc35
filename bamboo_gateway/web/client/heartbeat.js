// Is the peer still there? A browser sees no WebSocket pings, so the client asks with messages of its own.
import { LATE } from "./clock.js";

/** @typedef {import("./clock.js").Clock} Clock */

/** Seconds that a peer has to answer where there is reason to doubt; to be wrong costs a reconnect, and no event. */
const PROBE_TIMEOUT = 5;

/**
 * Asks a silent peer for a sign of life, and says when there was none.
 *
 * The word of a timer that was late (see `afterAwake`) counts for nothing: the peer
 * is asked once more.
 */
export class Heartbeat {
  /** @type {(() => void) | null} */
  #callOff = null;
  #heardAt;
  #isSilent = false; // since it was asked
  #due = 0; // when the answer is
  #clock;
  #options;

  /**
   * @param {Clock} clock
   * @param {{interval: number, timeout: number, ask: () => void, dead: () => void}} options *interval*: seconds of silence
   *   until the peer is asked. *timeout*: seconds that it has to answer. *ask*: send a ping. *dead*: there was no answer.
   */
  constructor(clock, options) {
    this.#clock = clock;
    this.#options = options;
    this.#heardAt = clock.now();
    this.#wait();
  }

  /** Something came. */
  heard() {
    this.#heardAt = this.#clock.now();
    this.#isSilent = false;
  }

  /** Ask now, and wait less long: something has happened that connections do not always survive. */
  probe() {
    const timeout = Math.min(this.#options.timeout, PROBE_TIMEOUT);
    const isAskedAlready = this.#isSilent && this.#due <= this.#clock.now() + timeout;
    if (!isAskedAlready) this.#ask(timeout);
  }

  stop() {
    this.#callOff?.();
    this.#callOff = null;
  }

  #wait() {
    const left = this.#heardAt + this.#options.interval - this.#clock.now();
    this.#after(left, () => {
      const silence = this.#clock.now() - this.#heardAt;
      if (silence >= this.#options.interval) this.#ask(this.#options.timeout);
      else this.#wait();
    });
  }

  /**
   * @param {number} timeout Seconds.
   * @param {number} [chances] How often a timer may be late.
   */
  #ask(timeout, chances = 1) {
    this.#due = this.#clock.now() + timeout;
    this.#isSilent = true;
    this.#options.ask();
    this.#after(timeout, () => {
      if (!this.#isSilent) this.#wait();
      else if (chances && this.#clock.now() > this.#due + LATE) this.#ask(timeout, chances - 1);
      else this.#options.dead();
    });
  }

  /**
   * @param {number} seconds
   * @param {() => void} action
   */
  #after(seconds, action) {
    this.stop();
    this.#callOff = this.#clock.after(seconds, action);
  }
}
