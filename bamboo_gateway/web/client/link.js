// The life of a client: one connection after the other, as if it were one.
import { ClosedError, asClosing } from "./errors.js";
import { Frames } from "./frames.js";
import { Heartbeat } from "./heartbeat.js";
import { Pause } from "./pause.js";
import { Requests } from "./requests.js";
import { isLocal } from "./surroundings.js";
import { open } from "./wire.js";

/** @typedef {import("./messages.js").Connect} Connect */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./wire.js").Door} Door */
/** @typedef {import("./wire.js").Wire} Wire */
/** @typedef {import("./cursors.js").Cursors} Cursors */
/** @typedef {import("./reconnect.js").Reconnect} Reconnect */
/** @typedef {import("./listeners.js").Listeners} Listeners */
/** @typedef {import("./surroundings.js").Surroundings} Surroundings */

/** @typedef {"open" | "reconnecting" | "closed"} State */

/**
 * @typedef {object} Setup
 * @property {Door} door
 * @property {Connect} hello
 * @property {Cursors} cursors
 * @property {Reconnect | null} reconnect
 * @property {Listeners} listeners
 * @property {Surroundings} surroundings
 * @property {() => number} chance From 0 to 1.
 * @property {number} maxRequests
 * @property {number | null} heartbeatInterval
 * @property {number} heartbeatTimeout
 */

/** Seconds, where a gateway says nothing of its own pings. */
const HEARTBEAT_INTERVAL = 30;

/**
 * Keeps a client connected.
 *
 * Invariant: each event of a log gets to the listeners once and in order, however
 * often the connection breaks, or a gap says what is missing. A request is sent
 * over each connection, until it is answered or nobody waits for it.
 */
export class Link {
  /** @type {State} */
  state = "open";
  /** @type {Connected | null} */
  connected = null;
  requests;
  /** @type {Wire | null} */
  #wire = null;
  /** @type {Heartbeat | null} */
  #heartbeat = null;
  /** @type {() => void} */
  #unwatch = () => {};
  #ending = new AbortController();
  #setup;
  #frames;
  #rest;

  /** @param {Setup} setup */
  constructor(setup) {
    this.#setup = setup;
    this.#frames = new Frames(setup.listeners);
    const { door, maxRequests, reconnect } = setup;
    this.#rest = new Pause(door.clock, () => this.#isCutOff());
    this.requests = new Requests({ comesBack: reconnect !== null, most: maxRequests, clock: door.clock });
  }

  /**
   * Connect for the first time.
   *
   * What comes is told from the task after this one on: whoever waited for this
   * has had time by then to say what it wants to hear.
   *
   * @param {AbortSignal | null} [signal]
   * @throws {import("./errors.js").ClientError} It did not come about.
   */
  async start(signal) {
    const { door, hello, cursors, surroundings } = this.#setup;
    const { wire, connected } = await open(door, this.#frames, cursors.resume(hello), { signal });
    if (signal?.aborted) wire.abandon();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => void this.close(), { signal: this.#ending.signal });
    this.#unwatch = surroundings.watch((change) => this.#notice(change));
    this.#enter(wire, connected);
    door.clock.inNextTask(() => {
      this.#frames.release();
      this.#hear(wire, connected, 0);
    });
  }

  /** Send what is asked for, in order; without a connection it waits for one. */
  flush() {
    if (!this.#wire) return;
    for (const message of this.requests.takeUnsent()) {
      // It may have been asked for in a session that is gone.
      const session = message.type === "chat" ? { session_id: this.connected?.session_id } : {};
      this.#wire?.send({ ...message, ...session });
    }
  }

  /**
   * Show another token from the next connection on.
   *
   * @param {string} token
   */
  rememberToken(token) {
    this.#setup.hello = { ...this.#setup.hello, auth: token };
  }

  /** Try to come back now, and not when the pause is over. */
  reconnectNow() {
    this.#rest.end();
  }

  /** Say goodbye; return once that is said. */
  async close() {
    const wire = this.#wire;
    this.#end(new ClosedError(1000, "this client was closed"), true);
    await wire?.close();
  }

  /**
   * @param {Wire} wire
   * @param {Connected} connected
   */
  #enter(wire, connected) {
    const { cursors, heartbeatInterval, heartbeatTimeout, door } = this.#setup;
    cursors.greet(connected);
    this.connected = connected;
    this.#wire = wire;
    // With the answer's time, silence is noticed within the gateway's own interval.
    const theirs = connected.limits?.heartbeat_interval || HEARTBEAT_INTERVAL;
    this.#heartbeat = new Heartbeat(door.clock, {
      interval: heartbeatInterval ?? Math.max(1, theirs - heartbeatTimeout),
      timeout: heartbeatTimeout,
      ask: () => wire.send({ type: "ping", timestamp: Date.now() }),
      dead: () => wire.fail(new ClosedError(1006, "nothing came for a while, nor the answer to a ping")),
    });
    this.requests.rewind();
    this.flush();
  }

  /**
   * Tell of the connection, and of all that comes over it.
   *
   * @param {Wire} wire
   * @param {Connected} connected
   * @param {number} attempt
   */
  #hear(wire, connected, attempt) {
    const { listeners } = this.#setup;
    const tells = [
      () => this.#tell(connected),
      () => listeners.emit("open", { resumed: connected.resumed, attempt }),
      () => wire.listen({ message: (event) => this.#receive(event), closed: (end) => this.#lose(end) }),
    ];
    for (const tell of tells) if (this.#wire === wire) tell(); // any handler may have closed the client
  }

  /** @param {GatewayEvent} event */
  #receive(event) {
    this.#heartbeat?.heard();
    if (event.type === "pong") return; // it was this client's own question
    if (!this.requests.settle(event) && this.#setup.cursors.admit(event)) this.#tell(event);
  }

  /** @param {GatewayEvent} event */
  #tell(event) {
    const { listeners } = this.#setup;
    listeners.emit(event.type, /** @type {any} */ (event));
    listeners.emit("*", event);
  }

  /** @param {ClosedError} lost */
  #lose(lost) {
    this.#drop();
    const policy = this.#setup.reconnect;
    if (!policy || !lost.reconnect) this.#end(lost);
    else void this.#comeBack(policy, lost);
  }

  /**
   * Try until there is a connection, or there will be none.
   *
   * @param {Reconnect} policy
   * @param {ClosedError} lost
   */
  async #comeBack(policy, lost) {
    const { door } = this.#setup;
    const { signal } = this.#ending;
    let left = policy.giveUpTimeout; // seconds, without those in which the page slept or was offline
    this.#become("reconnecting");
    for (let attempt = 0; !signal.aborted; attempt++) {
      left -= await this.#pause(policy, attempt, lost, left);
      if (signal.aborted) return;
      if (left <= 0) return this.#giveUp(policy, lost);
      const began = door.clock.now();
      try {
        const { wire, connected } = await this.#reopen(left);
        this.#enter(wire, connected);
        this.#become("open");
        return this.#hear(wire, connected, attempt + 1);
      } catch (error) {
        if (signal.aborted) return;
        left -= Math.min(door.timeout, door.clock.now() - began); // a page may have slept
        if (left <= 0) return this.#giveUp(policy, lost); // it was cut short, and knows less than the one before it
        lost = asClosing(error);
      }
      if (!lost.reconnect) return this.#end(lost);
    }
  }

  /** @param {number} timeout */
  #reopen(timeout) {
    const { door, hello, cursors } = this.#setup;
    // Exclusive it was once; who came since then is not sent away behind everybody's back.
    const again = cursors.resume({ ...hello, exclusive: null });
    return open(door, this.#frames, again, { timeout, signal: this.#ending.signal });
  }

  /**
   * Say that there is no connection, and wait until it is time for *attempt*.
   *
   * @param {Reconnect} policy
   * @param {number} attempt
   * @param {ClosedError} lost
   * @param {number} most Seconds.
   * @returns {Promise<number>} How many seconds count towards giving up.
   */
  async #pause(policy, attempt, { code, reason, retryAfter, jitter }, most) {
    const { listeners, chance } = this.#setup;
    const seconds = Math.min(most, policy.pause(attempt, chance(), retryAfter, jitter));
    const slept = this.#rest.wait({ seconds, least: retryAfter ?? 0, longest: policy.maxInterval });
    const news = { code, reason, retryIn: this.#isCutOff() ? null : seconds };
    if (attempt === 0) listeners.emit("disconnected", news);
    else listeners.emit("retry", { ...news, attempt });
    return slept;
  }

  /** Is there no network on which the gateway could be? */
  #isCutOff() {
    const { surroundings, door } = this.#setup;
    return !surroundings.isOnline() && !isLocal(door.url);
  }

  /** @param {"online" | "offline" | "shown"} change */
  #notice(change) {
    if (change !== "offline") this.#rest.hurry();
    this.#heartbeat?.probe(); // the connection may not have outlived it
  }

  /**
   * @param {Reconnect} policy
   * @param {ClosedError} lost
   */
  #giveUp(policy, lost) {
    const gaveUp = `gave up after ${policy.giveUpTimeout} seconds`;
    this.#end(new ClosedError(lost.code, lost.reason ? `${lost.reason}; ${gaveUp}` : gaveUp));
  }

  /**
   * @param {ClosedError} error
   * @param {boolean} isOwnWill
   */
  #end(error, isOwnWill = false) {
    if (this.state === "closed") return;
    this.#unwatch();
    this.#wire?.abandon();
    this.#drop();
    this.#ending.abort();
    this.#rest.end();
    this.requests.close(error);
    this.#become("closed");
    const { listeners } = this.#setup;
    listeners.emit("closed", { code: error.code, reason: error.reason, error: isOwnWill ? null : error });
    listeners.end();
  }

  #drop() {
    this.#heartbeat?.stop();
    this.#heartbeat = this.#wire = null;
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.#setup.listeners.emit("state", { state });
  }
}
