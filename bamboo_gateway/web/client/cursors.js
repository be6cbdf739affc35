// How far a client has read each log that it follows: what is new to it, and where it will go on.
import { MAX_CHANNEL_CURSORS } from "./protocol.js";

/** @typedef {import("./messages.js").Connect} Connect */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").Gap} Gap */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */

/** The log of broadcasts, as `channel` names it. */
export const BROADCAST = "*";

/**
 * A place in one log: the last event seen, and what its number was counted in.
 *
 * @typedef {{seq: number, epoch: string | null}} Place
 */

/**
 * Where a client has got to in all of its logs; plain JSON, to be kept across a reload of the page.
 *
 * @typedef {object} Cursor
 * @property {string} sessionId
 * @property {number} lastSeq The last event seen of the session's log.
 * @property {string | null} epoch What `lastSeq` and `channels` are counted in.
 * @property {Record<string, number>} channels Channel name → the last event seen there; `"*"`: the broadcasts.
 * @property {Epochs} [epochs] Only in the moments after the gateway has lost its logs and before each log has told so.
 */

/**
 * Which logs count in another epoch than the cursor's.
 *
 * @typedef {object} Epochs
 * @property {string | null} gateway The gateway's, when it was last heard.
 * @property {Record<string, string | null>} channels Channel name → its own.
 */

/**
 * One client's cursors; a plain object without clock or socket.
 *
 * Invariant: an event of a log is admitted at most once. A cursor that has not
 * been moved to the gateway's epoch keeps its own, so that the gateway still
 * tells of that gap if the connection breaks before it did.
 */
export class Cursors {
  /** @type {string | null} */
  #epoch = null; // the gateway's
  /** @type {string | null} */
  #sessionId;
  /** @type {Place | null} */
  #session = null; // null: wherever the gateway lets it in
  /** @type {Map<string, Place>} */
  #channels = new Map(); // the one longest unheard of comes first

  /** @param {{[Key in keyof Cursor]?: Cursor[Key] | null}} [from] Where an earlier client has got to. */
  constructor({ sessionId, lastSeq, epoch, channels, epochs } = {}) {
    const own = epoch ?? null;
    this.#sessionId = sessionId ?? null;
    this.#epoch = epochs?.gateway ?? own;
    if (lastSeq != null) this.#session = { seq: lastSeq, epoch: own };
    for (const [name, seq] of Object.entries(channels ?? {})) {
      const foreign = epochs && Object.hasOwn(epochs.channels, name);
      this.#move(name, { seq, epoch: foreign ? epochs.channels[name] ?? null : own });
    }
  }

  /** @returns {Cursor} Where it has got to by now; for whoever has been greeted. */
  get cursor() {
    const { seq, epoch } = this.#session ?? { seq: 0, epoch: this.#epoch };
    /** @type {Cursor} */
    const cursor = {
      sessionId: this.#sessionId ?? "",
      lastSeq: seq,
      epoch,
      channels: fromEntries([...this.#channels].map(([name, place]) => [name, place.seq])),
    };
    const foreign = [...this.#channels].filter(([, place]) => place.epoch !== epoch);
    if (foreign.length) {
      const channels = fromEntries(foreign.map(([name, place]) => [name, place.epoch]));
      cursor.epochs = { gateway: this.#epoch, channels };
    }
    return cursor;
  }

  /**
   * The gateway has let the client in; in a new session its log is a new one.
   *
   * @param {Connected} connected
   */
  greet(connected) {
    this.#sessionId = connected.session_id;
    this.#epoch = connected.epoch ?? null;
    if (!connected.resumed) {
      this.#session = null;
      // Broadcasts are the gateway's. Channels were the session's, which has joined none yet.
      for (const name of [...this.#channels.keys()]) if (name !== BROADCAST) this.#channels.delete(name);
    }
    this.#session ??= { seq: connected.last_seq ?? 0, epoch: this.#epoch };
    // Numbers that came without an epoch were taken for the gateway's own.
    for (const place of [this.#session, ...this.#channels.values()]) place.epoch ??= this.#epoch;
    // Where logs begin of which nothing was heard yet: what is next may come while the client is off.
    for (const [name, seq] of Object.entries(connected.channels ?? {})) {
      if (!this.#channels.has(name)) this.#move(name, { seq, epoch: this.#epoch });
    }
  }

  /**
   * Is *event* new? Then it counts as seen from here on. What is no part of a log always is.
   *
   * @param {GatewayEvent} event
   * @returns {boolean}
   */
  admit(event) {
    if (event.type === "gap") return this.#admitGap(event);
    if (event.type === "connected" || !("seq" in event) || typeof event.seq !== "number") return true;
    return this.#admitEntry(event.channel ?? null, event.seq);
  }

  /**
   * Say *hello* as one who comes back.
   *
   * `connect` has one epoch for all cursors. Where they differ, some log has yet
   * to tell of its gap, and the epoch named is one that is no longer the
   * gateway's: then it tells of all gaps and sends all logs again, and `admit`
   * knows what it has seen already. Such a replay must be exact, because joined
   * tokens could hold both old and new.
   *
   * @param {Connect} hello
   * @returns {Connect}
   */
  resume(hello) {
    const places = [this.#session, ...this.#channels.values()].filter((place) => place !== null);
    const epochs = new Set(places.map((place) => place.epoch));
    const epoch = [...epochs].find((each) => each !== this.#epoch) ?? this.#epoch;
    /** @param {Place} place */
    const seqOf = (place) => (place.epoch === epoch ? place.seq : 0);
    const channels = [...this.#channels].map(([name, place]) => [name, seqOf(place)]);
    return {
      ...hello,
      session_id: this.#sessionId,
      last_seq: this.#session && seqOf(this.#session),
      epoch,
      channels: channels.length ? fromEntries(channels) : null,
      replay: epochs.size > 1 ? "exact" : hello.replay,
    };
  }

  /**
   * @param {string | null} channel
   * @param {number} seq
   */
  #admitEntry(channel, seq) {
    const known = this.#place(channel);
    // Without a gap before it, an event of another epoch begins a log that the gateway reads from now on.
    if (known && known.epoch === this.#epoch && seq <= known.seq) return false;
    this.#move(channel, { seq, epoch: this.#epoch });
    return true;
  }

  /** @param {Gap} gap */
  #admitGap(gap) {
    this.#epoch = gap.epoch;
    const before = gap.earliest - 1;
    const channel = gap.channel ?? null;
    const known = this.#place(channel);
    if (known && known.epoch === gap.epoch && before <= known.seq && known.seq <= gap.latest) {
      return false; // all that is missing there has been seen
    }
    this.#move(channel, { seq: before, epoch: gap.epoch });
    return true;
  }

  /** @param {string | null} channel */
  #place(channel) {
    return channel === null ? this.#session : this.#channels.get(channel);
  }

  /**
   * @param {string | null} channel
   * @param {Place} to
   */
  #move(channel, to) {
    if (channel === null) {
      this.#session = to;
      return;
    }
    this.#channels.delete(channel);
    this.#channels.set(channel, to);
    if (this.#channels.size > MAX_CHANNEL_CURSORS) {
      const oldest = [...this.#channels.keys()].find((name) => name !== BROADCAST);
      if (oldest !== undefined) this.#channels.delete(oldest);
    }
  }
}

/**
 * As `Object.fromEntries`, of whatever names: `__proto__` is one like any other.
 *
 * @param {Array<Array<any>>} entries
 * @returns {Record<string, any>}
 */
function fromEntries(entries) {
  return Object.fromEntries(/** @type {Array<[string, any]>} */ (entries));
}
