// What a client can run into; each message is one sentence that a person can be shown.
import { CLOSE_CODES } from "./protocol.js";

/** The root of the client's errors. */
export class ClientError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** No connection came about: a wrong URL, nobody there, no gateway, or no answer in time. */
export class ConnectError extends ClientError {}

/** There was not even a WebSocket. A page is not told why: nobody there, or HTTP 403, are one and the same to it. */
export class UnreachedError extends ConnectError {
  /**
   * @param {string} url
   * @param {string} trouble What the socket said of it, if it did.
   */
  constructor(url, trouble) {
    super(trouble ? `cannot reach ${url}: ${trouble}` : `no WebSocket came about with ${url}`);
    this.name = "ConnectError";
    this.trouble = trouble;
  }
}

/** A request was sent and not answered in time; whether it was carried out is unknown. */
export class NoReplyError extends ClientError {}

/** So many requests wait for their answer that no more are taken; this one was not sent. */
export class BusyError extends ClientError {}

/** The gateway said no to a request: `connect`, a chat or a command. Nothing has changed. */
export class RefusedError extends ClientError {
  /**
   * @param {string} code The wire's `error.code`, such as `UNAUTHORIZED`.
   * @param {string} message What, where and how to fix it.
   * @param {{retryable?: boolean | null, retryAfter?: number | null}} [later]
   */
  constructor(code, message, { retryable, retryAfter } = {}) {
    super(message);
    this.code = code;
    /** May the same request succeed later, unchanged? */
    this.retryable = retryable ?? false;
    /** Seconds to wait before that, if the gateway said so. */
    this.retryAfter = retryAfter ?? null;
  }
}

/** The connection is over. */
export class ClosedError extends ClientError {
  /**
   * @param {number} code The close code; 1006 where the connection broke without a word.
   * @param {string} reason What was said of it; may be empty.
   * @param {{retryAfter?: number | null, jitter?: number | null}} [back]
   */
  constructor(code, reason, { retryAfter, jitter } = {}) {
    const said = reason || CLOSE_CODES[code]?.meaning || "no reason was given";
    super(`the connection is closed: ${code}, ${said}`);
    this.code = code;
    this.reason = reason;
    /** Seconds until it is worth while to come back, if the gateway said so. */
    this.retryAfter = retryAfter ?? null;
    /** Seconds behind those over which its clients shall spread, if it said so. */
    this.jitter = jitter ?? null;
    /** Is it worth to come back, or would the gateway only refuse again? */
    this.reconnect = CLOSE_CODES[code]?.reconnect ?? true;
  }

  /** The same, to be thrown once more, with a stack of its own. */
  again() {
    return new ClosedError(this.code, this.reason, this);
  }
}

/**
 * Say as the end of a connection why one did not come about.
 *
 * Nobody there, or a gateway that says "later", is as good as a socket that
 * broke: it is worth to try again. Any other refusal would only come again.
 *
 * @param {unknown} error
 * @returns {ClosedError}
 */
export function asClosing(error) {
  if (error instanceof ClosedError) return error;
  if (!(error instanceof RefusedError)) return new ClosedError(1006, error instanceof Error ? error.message : String(error));
  const said = `${error.code}: ${error.message}`;
  if (error.retryable) return new ClosedError(1013, said, error);
  return new ClosedError(error.code === "UNAUTHORIZED" ? 4001 : 1008, said);
}
