// When to draw: with the browser's frames, but never so often that drawing takes most of the time.

/** Of the time; the rest is the reader's, for scrolling and typing. */
const SHARE = 0.3;

/** Milliseconds. A hidden page has no frames. */
const HIDDEN_INTERVAL = 500;

/** Runs *draw* soon after it was asked to, once however often. */
export class Pace {
  /** @param {() => void} draw */
  constructor(draw) {
    this.draw = draw;
    this.isAsked = false;
    this.turn = 0;
    this.restUntil = 0;
  }

  ask() {
    if (this.isAsked) return;
    this.isAsked = true;
    const turn = (this.turn += 1);
    const run = () => this.isAsked && turn === this.turn && this.run();
    const rest = Math.max(0, this.restUntil - performance.now());
    if (document.visibilityState === "hidden") return void setTimeout(run, HIDDEN_INTERVAL);
    if (rest > 0) setTimeout(() => requestAnimationFrame(run), rest);
    else requestAnimationFrame(run);
    setTimeout(run, HIDDEN_INTERVAL + rest); // if it is hidden from now on
  }

  run() {
    this.isAsked = false;
    const begin = performance.now();
    this.draw();
    // What was changed is drawn after this; a task later, the browser has done it.
    setTimeout(() => {
      const end = performance.now();
      this.restUntil = end + (end - begin) * (1 / SHARE - 1);
    });
  }
}
