// Is the peer still there? A browser sees no WebSocket pings, so the client asks with messages of its own.
import { LATE } from "./clock.js";

/** @typedef {import("./clock.js").Clock} Clock */


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

  /** Ask now: something has happened that connections do not always survive. */
  probe() {
    this.#ask(1);
  }

  stop() {
    this.#callOff?.();
    this.#callOff = null;
  }

  #wait() {
    const left = this.#heardAt + this.#options.interval - this.#clock.now();
    this.#after(left, () => (this.#clock.now() - this.#heardAt >= this.#options.interval ? this.#ask(1) : this.#wait()));
  }

  /** @param {number} chances How often a timer may be late. */
  #ask(chances) {
    const askedAt = this.#clock.now();
    this.#isSilent = true;
    this.#options.ask();
    this.#after(this.#options.timeout, () => {
      const isLate = this.#clock.now() - askedAt > this.#options.timeout + LATE;
      if (!this.#isSilent) this.#wait();
      else if (isLate && chances) this.#ask(chances - 1);
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
