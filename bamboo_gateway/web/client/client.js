// A gateway as a page uses it: requests that are answered, and events as they come.
import { CLOCK } from "./clock.js";
import { Cursors } from "./cursors.js";
import { encode, requireName, requireText, sizeOf } from "./encoding.js";
import { ConnectError, RefusedError, UnreachedError } from "./errors.js";
import { explain } from "./failure.js";
import { Link } from "./link.js";
import { Listeners } from "./listeners.js";
import { PROTOCOL } from "./protocol.js";
import { Reconnect } from "./reconnect.js";
import { SURROUNDINGS } from "./surroundings.js";

/** @typedef {import("./messages.js").Json} Json */
/** @typedef {import("./messages.js").Commands} Commands */
/** @typedef {import("./messages.js").Connect} Hello */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").ChatAccepted} ChatAccepted */
/** @typedef {import("./listeners.js").Events} Events */
/** @typedef {import("./cursors.js").Cursor} Cursor */
/** @typedef {import("./cursors.js").Epochs} Epochs */

/**
 * @typedef {object} Options All of them may be left out.
 * @property {string | null} [token] What the gateway asks for, if it does.
 * @property {string | null} [sessionId] The session to come back to; unknown, a new one opens (see `connected.resumed`).
 * @property {number | null} [lastSeq] The last event seen of that session's log, as `client.cursor` has it.
 * @property {string | null} [epoch] What that was counted in.
 * @property {Record<string, number> | null} [channels] The last event seen of each channel.
 * @property {Epochs} [epochs] As `client.cursor` has it, now and then.
 * @property {"exact" | "merged" | null} [replay] `exact`: what was missed comes in the pieces in which it was said.
 * @property {boolean} [temporary] A session that opens for this goes with the connection: for who only asks something.
 * @property {boolean} [exclusive] Close all other connections of the session: now, and not whenever this one comes back.
 * @property {{name: string, version?: string} | null} [client] What to say of oneself.
 * @property {import("./reconnect.js").ReconnectOptions | null} [reconnect] When to try again after a lost connection; null: not at all.
 * @property {Limits} [limits] How long to wait, and how much to hold.
 * @property {AbortSignal | null} [signal] Ends the attempt to connect; later, the client.
 * @property {any} [WebSocket] The class to use, where there is no global one.
 */

/**
 * @typedef {object} Limits
 * @property {number} [connectTimeout] Seconds from the opening of a socket to the gateway's answer to `connect`, each time. 10 by default.
 * @property {number} [replyTimeout] Seconds that a chat or a command may take to be answered; those without a connection count, too. 60 by default.
 * @property {number | null} [heartbeatInterval] Seconds of silence until the client asks whether the gateway is still there. By default so many that
 *   silence is noticed within the gateway's own `heartbeat_interval`.
 * @property {number} [heartbeatTimeout] Seconds that it has to answer that. 10 by default.
 * @property {number} [maxRequests] Chats and commands that may wait for an answer at once. 1000 by default.
 */

/**
 * @typedef {object} Wait
 * @property {AbortSignal | null} [signal] Ends the wait for the answer; what was sent is not taken back.
 */

/** A connected client; `connect` makes it. */
export class Client {
  #link;
  #listeners;
  #cursors;
  #limits;

  /**
   * @param {Link} link
   * @param {Listeners} listeners
   * @param {Cursors} cursors
   * @param {{replyTimeout: number}} limits
   */
  constructor(link, listeners, cursors, limits) {
    this.#link = link;
    this.#listeners = listeners;
    this.#cursors = cursors;
    this.#limits = limits;
  }

  /** @returns {import("./link.js").State} */
  get state() {
    return this.#link.state;
  }

  /** @returns {Connected} What the gateway answered to `connect`, the last time. */
  get connected() {
    return /** @type {Connected} */ (this.#link.connected);
  }

  /** @returns {string} The session that this client speaks in: another one, if the gateway has lost it meanwhile. */
  get sessionId() {
    return this.connected.session_id;
  }

  /** @returns {Cursor} What was told so far; plain JSON. Give it to `connect` to go on there. */
  get cursor() {
    return this.#cursors.cursor;
  }

  /**
   * Have *handler* told of each event of this name, in the order in which they come.
   *
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(event: Events[Name]) => void} handler
   * @returns {() => void} Ends it.
   */
  on(name, handler) {
    return this.#listeners.add(name, handler);
  }

  /**
   * Send a chat; resolve when the gateway has taken it. What the agent says to it comes as events.
   *
   * It is sent again after a lost connection, with the same id, as long as this
   * is waited for. *id* is the chat's key in those events, by default a new one;
   * whoever asks once more names the same.
   *
   * Rejects with `RefusedError`, `NoReplyError`, `ClosedError`, `BusyError`; or
   * `TypeError`, where it is no JSON.
   *
   * @param {string} content
   * @param {{id?: string, metadata?: Record<string, Json> | null} & Wait} [options]
   * @returns {Promise<ChatAccepted>}
   */
  async chat(content, { id = newId(), metadata, signal } = {}) {
    requireText("content", content);
    requireName("id", id);
    const extra = metadata ? { metadata } : {};
    return this.#ask({ type: "chat", content, session_id: this.sessionId, id, ...extra }, "chat_accepted", signal);
  }

  /**
   * Run a command, for this session or for *sessionId*; resolve with its result.
   *
   * It is sent again as a chat is. Whoever asks once more, after a refusal that is
   * `retryable` or no reply, names the same *id*, so that nothing runs twice.
   *
   * Rejects as `chat` does.
   *
   * @template {keyof Commands | (string & {})} Name
   * @param {Name} name
   * @param {Name extends keyof Commands ? Commands[Name]["args"] | null : Json} [args]
   * @param {{id?: string, sessionId?: string | null} & Wait} [options]
   * @returns {Promise<Name extends keyof Commands ? Commands[Name]["result"] : Json>}
   */
  async command(name, args, { id = newId(), sessionId, signal } = {}) {
    requireName("name", name);
    requireName("id", id);
    const extra = sessionId ? { session_id: sessionId } : {};
    const message = { type: /** @type {const} */ ("command"), name, args: args ?? null, id, ...extra };
    const { result } = await this.#ask(message, "command_result", signal);
    if (name === "auth.refresh") this.#link.rememberToken(message.args?.auth); // the one before it is about to expire
    return result;
  }

  /** Try to come back now, and not when the pause is over. */
  reconnectNow() {
    this.#link.reconnectNow();
  }

  /** End the connection for good; resolve once the gateway was told. What waits for an answer is rejected. */
  async close() {
    await this.#link.close();
  }

  /**
   * @param {import("./requests.js").Request["message"]} message
   * @param {import("./requests.js").Request["kind"]} kind
   * @param {AbortSignal | null} [signal]
   * @returns {Promise<any>}
   */
  async #ask(message, kind, signal) {
    // What cannot be sent is this caller's error; the gateway would close the connection of all.
    const bytes = sizeOf(encode(message));
    const most = this.connected.limits?.max_message_bytes;
    if (most && bytes > most) {
      throw new RefusedError("MESSAGE_TOO_BIG", `the message has ${bytes} bytes; the gateway takes ${most} at most`);
    }
    const answer = this.#link.requests.expect(message, kind, { timeout: this.#limits.replyTimeout, signal });
    this.#link.flush();
    return answer;
  }
}

/**
 * Connect to the gateway at *url*.
 *
 * Handlers may be added to the client until the end of the task in which this
 * resolves: nothing is told before that.
 *
 * Rejects with `ConnectError`, where there is no gateway that could be reached in
 * time; `RefusedError`, where it does not want this client (`UNAUTHORIZED`, say);
 * `ClosedError`, where the connection ended before its answer.
 *
 * @param {string | URL} url `ws://HOST:PORT`, or `wss:`.
 * @param {Options} [options]
 * @returns {Promise<Client>}
 */
export async function connect(url, options = {}) {
  const address = String(url);
  if (!/^wss?:\/\/[^/]/i.test(address)) {
    throw new ConnectError(`${JSON.stringify(address)} is no WebSocket URL, such as ws://127.0.0.1:18790`);
  }
  const listeners = new Listeners();
  const cursors = new Cursors(options);
  const { connectTimeout = 10, replyTimeout = 60, heartbeatInterval = null, heartbeatTimeout = 10, maxRequests = 1000 } =
    options.limits ?? {};
  const link = new Link({
    door: { url: address, WebSocket: options.WebSocket ?? globalThis.WebSocket, clock: CLOCK, timeout: connectTimeout },
    hello: helloOf(options),
    cursors,
    reconnect: options.reconnect === null ? null : new Reconnect(options.reconnect),
    listeners,
    surroundings: SURROUNDINGS,
    chance: Math.random,
    maxRequests,
    heartbeatInterval,
    heartbeatTimeout,
  });
  try {
    await link.start(options.signal);
  } catch (error) {
    // A socket of a page does not say what is wrong; others do.
    const isMute = error instanceof UnreachedError && !error.trouble;
    throw isMute ? await explain(address, globalThis.location?.origin) : error;
  }
  return new Client(link, listeners, cursors, { replyTimeout });
}

/**
 * @param {Options} options
 * @returns {Hello}
 */
function helloOf({ token, exclusive, temporary, replay, client }) {
  return {
    type: "connect",
    protocol: PROTOCOL,
    ...(token && { auth: token }),
    ...(exclusive && { exclusive }),
    ...(temporary && { temporary }),
    ...(replay && { replay }),
    ...(client && { client }),
  };
}

/** A UUID, more or less; `crypto.randomUUID` is not there for pages that came over plain HTTP. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
