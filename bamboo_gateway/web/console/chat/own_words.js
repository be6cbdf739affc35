// What this tab has said in a session: what is not yet taken, the draft, and which turns were asked for here.
//
// Kept in the tab's storage, so that a reload loses none of it. A chat keeps its id, by which the gateway tells a
// repeat from a second one. Whoever signs out takes all of it along, also where a session that is being left writes
// after that: the next one in this tab is somebody else.

/** How many turns are remembered as one's own. */
const MAX_RUNS = 200;

/** @typedef {{id: string, content: string}} Words */

/** The words of one session. */
export class OwnWords {
  /** @param {import("../shell/shelf.js").Shelf} shelf @param {string} sessionId */
  constructor(shelf, sessionId) {
    this.shelf = shelf;
    this.clearings = shelf.clearings;
    this.names = {
      unsent: `unsent.${sessionId}`,
      draft: `draft.${sessionId}`,
      runs: `runs.${sessionId}`,
      seen: `seen.${sessionId}`,
    };
    /** @type {Set<string>} */
    this.runs = new Set(asList(shelf.read(this.names.runs)));
  }

  /** Is the shelf still of who began here? */
  get isOurs() {
    return this.shelf.clearings === this.clearings;
  }

  /** @param {string} name @param {unknown} value */
  keep(name, value) {
    if (this.isOurs) this.shelf.write(name, value);
  }

  /** @returns {Words[]} */
  get unsent() {
    return asList(this.shelf.read(this.names.unsent));
  }

  set unsent(words) {
    this.keep(this.names.unsent, words.length ? words : null);
  }

  get draft() {
    return this.shelf.get(this.names.draft) ?? "";
  }

  set draft(text) {
    if (this.isOurs) this.shelf.set(this.names.draft, text || null);
  }

  /** How far this tab had read before it was reloaded. @returns {{seq: number, epoch: string, isRunning: boolean} | null} */
  takeSeen() {
    const seen = this.shelf.read(this.names.seen);
    this.keep(this.names.seen, null);
    return typeof seen?.seq === "number" ? seen : null;
  }

  /** @param {number} seq @param {string} epoch @param {boolean} isRunning */
  keepSeen(seq, epoch, isRunning) {
    this.keep(this.names.seen, { seq, epoch, isRunning });
  }

  /** @param {string | null | undefined} runId */
  claim(runId) {
    if (!runId || this.runs.has(runId)) return;
    this.runs.add(runId);
    this.keep(this.names.runs, [...this.runs].slice(-MAX_RUNS));
  }

  /** @param {string | null} runId @returns {boolean} */
  isOwn(runId) {
    return runId !== null && this.runs.has(runId);
  }
}

/** @param {unknown} value @returns {any[]} */
function asList(value) {
  return Array.isArray(value) ? value : [];
}
