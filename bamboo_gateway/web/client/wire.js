// One connection: messages over a WebSocket, and the greeting with which it begins.
import { afterAwake } from "./clock.js";
import { encode } from "./encoding.js";
import { ClosedError, ConnectError, RefusedError, UnreachedError } from "./errors.js";

/** @typedef {import("./messages.js").Connect} Connect */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./frames.js").Frames} Frames */

/** Seconds that a goodbye may take: as long as a gateway gives its clients. */
const CLOSE_TIMEOUT = 1;

/**
 * @typedef {object} Door
 * @property {string} url
 * @property {typeof globalThis.WebSocket} WebSocket
 * @property {Clock} clock
 * @property {number} timeout Seconds from the opening of the socket to the gateway's answer to `connect`.
 */

/**
 * @typedef {object} Listener
 * @property {(event: GatewayEvent) => void} message
 * @property {(end: ClosedError) => void} closed Nothing comes after it.
 */

/**
 * One connection, as messages.
 *
 * Invariant: what came before anybody listened is kept, and then told in order.
 * After `abandon` or `close` nothing is told any more.
 */
export class Wire {
  /** @type {Listener | null} */
  #listener = null;
  /** @type {GatewayEvent[]} */
  #kept = [];
  /** @type {ClosedError | null} */
  #end = null; // what is told once all that was kept has been
  #isOver = false;
  /** @type {() => void} */
  #sayGone = () => {};
  /** @type {Promise<void>} */
  #gone = new Promise((resolve) => (this.#sayGone = resolve));
  /** @type {number | null} */
  #retryAfter = null;
  /** @type {number | null} */
  #jitter = null;
  #socket;
  #clock;
  #frames;
  #wasOpen = false;
  /** What the socket said of its failure; browsers say nothing. */
  #trouble = "";

  /**
   * @param {Door} door
   * @param {Frames} frames Told of every message.
   * @param {Connect} hello Said as soon as the socket is open.
   * @throws {ConnectError} It is no URL, or none that this page may use.
   */
  constructor(door, frames, hello) {
    this.#clock = door.clock;
    this.#frames = frames;
    this.#socket = newSocket(door);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => {
      this.#wasOpen = true;
      this.send(hello);
    };
    this.#socket.onerror = (event) => (this.#trouble ||= String(/** @type {any} */ (event).message ?? ""));
    this.#socket.onmessage = (event) => this.#receive(event.data);
    this.#socket.onclose = (event) => {
      this.#sayGone();
      this.#finish(event.code, event.reason);
    };
  }

  /** Did the WebSocket come about? */
  get wasOpen() {
    return this.#wasOpen;
  }

  get trouble() {
    return this.#trouble;
  }

  /**
   * Send one message, if the connection is still open; if not, `closed` will say so.
   *
   * @param {object} message
   */
  send(message) {
    if (this.#socket.readyState !== 1) return;
    const text = encode(message);
    this.#frames.tell("out", message, text);
    this.#socket.send(text);
  }

  /** @param {Listener} listener Told of all that has come and comes. */
  listen(listener) {
    this.#listener = listener;
    while (this.#kept.length && this.#listener) this.#listener.message(/** @type {GatewayEvent} */ (this.#kept.shift()));
    if (this.#end) this.#tellEnd();
  }

  /** Keep what comes from here on. */
  pause() {
    this.#listener = null;
  }

  /**
   * Hang up on a peer that is gone, or talks nonsense.
   *
   * @param {ClosedError} end What the listener is told.
   */
  fail(end) {
    this.#over(end);
    this.#hangUp();
  }

  /** Hang up; nobody is told of it. */
  abandon() {
    this.#isOver = true;
    this.#listener = null;
    this.#hangUp();
  }

  /** Say goodbye, and wait `CLOSE_TIMEOUT` at most for the answer; nobody else is told of it. */
  async close() {
    this.abandon();
    const callOff = this.#clock.after(CLOSE_TIMEOUT, this.#sayGone);
    await this.#gone;
    callOff();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#isOver) return;
    const event = parse(data);
    if (event === null) {
      this.fail(new ClosedError(1002, "the peer sent what is no event"));
      return;
    }
    this.#frames.tell("in", event, /** @type {string} */ (data));
    if (event.type === "shutdown") {
      this.#retryAfter = event.retry_after ?? null;
      this.#jitter = event.jitter ?? null;
    } else if (event.type === "error" && !event.seq && !event.id && event.retry_after != null) {
      this.#retryAfter = event.retry_after;
    }
    if (this.#listener) this.#listener.message(event);
    else this.#kept.push(event);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #finish(code, reason) {
    const said = reason || (code === 1006 ? this.#trouble || "it broke off without a close frame" : "");
    this.#over(new ClosedError(code, said, { retryAfter: this.#retryAfter, jitter: this.#jitter }));
  }

  /** @param {ClosedError} end */
  #over(end) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end = end;
    if (this.#listener && !this.#kept.length) this.#tellEnd();
  }

  #tellEnd() {
    const listener = this.#listener;
    this.#listener = null;
    if (listener && this.#end) listener.closed(this.#end);
  }

  #hangUp() {
    try {
      this.#socket.close(1000);
    } catch {
      // It never got as far as to be closed.
    }
  }
}

/**
 * Connect and say *hello*; return the connection, to which nobody listens yet, and the greeting.
 *
 * @param {Door} door
 * @param {Frames} frames
 * @param {Connect} hello
 * @param {{timeout?: number, signal?: AbortSignal | null}} [wait] *timeout*: seconds, if they are fewer than the door's.
 *   *signal*: gives it up.
 * @returns {Promise<{wire: Wire, connected: Connected}>}
 * @throws {ConnectError} There is no gateway that could be reached in time.
 * @throws {RefusedError} The gateway does not want this client.
 * @throws {ClosedError} The connection ended before the gateway's answer.
 */
export function open(door, frames, hello, { timeout = Infinity, signal } = {}) {
  const seconds = Math.min(door.timeout, timeout);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    encode(hello); // what cannot be said is the caller's error
    const wire = new Wire(door, frames, hello);
    const settle = () => {
      callOff();
      signal?.removeEventListener("abort", abort);
    };
    /** @param {unknown} error */
    const giveUp = (error) => {
      settle();
      wire.abandon();
      reject(error);
    };
    const abort = () => giveUp(signal?.reason);
    const overdue = () => giveUp(new ConnectError(`no answer from ${door.url} within ${seconds} seconds`));
    const callOff = afterAwake(door.clock, seconds, overdue);
    signal?.addEventListener("abort", abort);
    wire.listen({
      message: (event) => {
        if (event.type === "error") {
          const { code, message, retryable, retry_after: retryAfter } = event;
          giveUp(new RefusedError(code, message, { retryable, retryAfter }));
        } else if (event.type === "connected" && event.protocol !== hello.protocol) {
          const theirs = event.protocol ?? 1;
          giveUp(new ConnectError(`the gateway speaks protocol ${theirs}, this client ${hello.protocol}`));
        } else if (event.type === "connected") {
          settle();
          wire.pause();
          resolve({ wire, connected: event });
        }
      },
      closed: (end) => {
        settle();
        reject(wire.wasOpen ? end : new UnreachedError(door.url, wire.trouble));
      },
    });
  });
}

/** @param {Door} door */
function newSocket({ WebSocket, url }) {
  if (!WebSocket) throw new ConnectError("there is no WebSocket here; give the class of one as an option");
  try {
    return new WebSocket(url);
  } catch (error) {
    throw new ConnectError(`${JSON.stringify(url)} cannot be connected to: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * @param {unknown} data
 * @returns {GatewayEvent | null} Null: it is none.
 */
function parse(data) {
  if (typeof data !== "string") return null;
  try {
    const event = JSON.parse(data);
    return typeof event?.type === "string" ? event : null;
  } catch {
    return null;
  }
}
