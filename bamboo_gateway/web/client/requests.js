// The requests whose answers are waited for: which are yet to be sent, and which event answers which.
import { afterAwake } from "./clock.js";
import { BusyError, NoReplyError, RefusedError } from "./errors.js";

/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./messages.js").Chat} Chat */
/** @typedef {import("./messages.js").Command} Command */
/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./errors.js").ClosedError} ClosedError */

/**
 * @typedef {object} Request
 * @property {(Chat | Command) & {id: string}} message
 * @property {"chat_accepted" | "command_result"} kind What answers it, or else an `error`.
 * @property {(answer: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {() => void} forget Nobody waits for it any longer.
 */

/**
 * The requests of one client, in the order in which they were made.
 *
 * Invariant: a request is listed exactly while somebody waits for its answer,
 * and never more than *most* do; those that are yet to be sent over the present
 * connection are some of the listed.
 */
export class Requests {
  /** @type {Map<string, Request>} */
  #waiting = new Map();
  /** @type {Map<string, Request>} */
  #unsent = new Map();
  /** @type {ClosedError | null} */
  #closed = null;
  #comesBack;
  #most;
  #clock;

  /**
   * @param {{comesBack: boolean, most: number, clock: Clock}} options *comesBack*: will there be another connection
   *   after this one? Then a gateway that is about to stop has answered nothing: the one after it will.
   */
  constructor({ comesBack, most, clock }) {
    this.#comesBack = comesBack;
    this.#most = most;
    this.#clock = clock;
  }

  get size() {
    return this.#waiting.size;
  }

  /**
   * List *message*, until it is answered or not waited for any longer; return the answer.
   *
   * @param {Request["message"]} message
   * @param {Request["kind"]} kind
   * @param {{timeout: number, signal?: AbortSignal | null}} wait *timeout*: seconds. *signal*: ends the wait, and takes nothing back.
   * @returns {Promise<any>}
   */
  expect(message, kind, { timeout, signal }) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed) throw this.#closed.again();
      if (this.#waiting.has(message.id)) {
        throw new TypeError(`the answer to the request "${message.id}" is still waited for`);
      }
      if (this.#waiting.size >= this.#most) {
        throw new BusyError(`${this.#most} requests wait for their answer; wait for some of them first`);
      }
      const overdue = () => settle(reject, new NoReplyError(`the gateway gave no answer within ${timeout} seconds`));
      const callOff = afterAwake(this.#clock, timeout, overdue);
      const abort = () => settle(reject, signal?.reason);
      const forget = () => {
        callOff();
        signal?.removeEventListener("abort", abort);
        this.#waiting.delete(message.id);
        this.#unsent.delete(message.id);
      };
      /**
       * @param {(outcome: any) => void} how
       * @param {unknown} outcome
       */
      const settle = (how, outcome) => {
        forget();
        how(outcome);
      };
      signal?.addEventListener("abort", abort);
      const request = { message, kind, resolve, reject, forget };
      this.#waiting.set(message.id, request);
      this.#unsent.set(message.id, request);
    });
  }

  /** A new connection: what is unanswered is to be sent again, ahead of what is still to come. */
  rewind() {
    this.#unsent = new Map(this.#waiting);
  }

  /**
   * Take all that is yet to be sent, in order.
   *
   * @returns {Request["message"][]}
   */
  takeUnsent() {
    const taken = [...this.#unsent.values()].map((request) => request.message);
    this.#unsent.clear();
    return taken;
  }

  /**
   * Hand *event* to who waits for it; false: nobody does.
   *
   * @param {GatewayEvent} event
   * @returns {boolean}
   */
  settle(event) {
    if (event.type !== "chat_accepted" && event.type !== "command_result" && event.type !== "error") return false;
    // An error with a place in the log is the end of a turn, not the answer to a request.
    if (event.type === "error" && event.seq) return false;
    const request = this.#waiting.get(event.id ?? "");
    if (!request || (event.type !== request.kind && event.type !== "error")) return false;
    const refusal = event.type === "error" ? event : event.type === "command_result" ? event.error : null;
    if (refusal?.code === "STOPPING" && this.#comesBack) {
      this.#unsent.delete(request.message.id);
      return true; // no answer, but the gateway's word that it is about to stop
    }
    request.forget();
    if (refusal) {
      const { code, message, retryable, retry_after: retryAfter } = refusal;
      request.reject(new RefusedError(code, message, { retryable, retryAfter }));
    } else {
      request.resolve(event);
    }
    return true;
  }

  /**
   * Tell all who wait, and who comes later, that no answer will come.
   *
   * @param {ClosedError} error
   */
  close(error) {
    this.#closed ??= error;
    for (const request of [...this.#waiting.values()]) {
      request.forget();
      request.reject(error.again());
    }
  }
}
