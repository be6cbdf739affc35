// The pause before an attempt to come back, which good news can cut short.

/** @typedef {import("./clock.js").Clock} Clock */

/**
 * @typedef {object} Length
 * @property {number} seconds
 * @property {number} least Seconds that the gateway has asked for: only who says "now" cuts them short.
 * @property {number} longest Seconds on top to wait for a network, where there is none: browsers have been wrong about it.
 */

/** Waits, for one at a time. */
export class Pause {
  /** @type {(isNow: boolean) => void} */
  #wake = () => {};
  #clock;
  #isCutOff;

  /**
   * @param {Clock} clock
   * @param {() => boolean} isCutOff Is there no network on which the gateway could be?
   */
  constructor(clock, isCutOff) {
    this.#clock = clock;
    this.#isCutOff = isCutOff;
  }

  /** There is hope: whoever waits need not wait longer than the gateway has asked for. */
  hurry() {
    this.#wake(false);
  }

  /** Whoever waits goes on, whatever there is to wait for. */
  end() {
    this.#wake(true);
  }

  /**
   * Wait until it is time for an attempt.
   *
   * @param {Length} length
   * @returns {Promise<number>} How many seconds count towards giving up: none without a network, or while the page slept.
   */
  async wait({ seconds, least, longest }) {
    const began = this.#clock.now();
    let isNow = await this.#nap(seconds);
    const left = began + Math.min(seconds, least) - this.#clock.now();
    if (!isNow && left > 0) isNow = await this.#nap(left);
    if (isNow || !this.#isCutOff()) return Math.min(seconds, this.#clock.now() - began);
    await this.#nap(longest);
    return 0;
  }

  /**
   * @param {number} seconds
   * @returns {Promise<boolean>} Is it to end now?
   */
  #nap(seconds) {
    return new Promise((resolve) => {
      /** @param {boolean} isNow */
      const wake = (isNow) => {
        callOff();
        this.#wake = () => {};
        resolve(isNow);
      };
      const callOff = this.#clock.after(seconds, () => wake(false));
      this.#wake = wake;
    });
  }
}
