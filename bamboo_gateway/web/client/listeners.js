// Who wants to be told of what. A handler that fails is reported, and takes nothing from the others.

/** @typedef {import("./messages.js").GatewayEvents} GatewayEvents */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */

/**
 * What a client has to say of itself.
 *
 * @typedef {object} ClientEvents
 * @property {Open} open The gateway has greeted: for the first time, or again.
 * @property {Disconnected} disconnected The connection is lost, and the client tries to come back.
 * @property {Retry} retry An attempt to come back has failed; there will be another.
 * @property {Closed} closed It is over for good.
 * @property {{state: import("./link.js").State}} state `client.state` has changed.
 * @property {Frame} frame A message, as it went over the wire.
 */

/**
 * @typedef {object} Open
 * @property {boolean} resumed Did the session exist before?
 * @property {number} attempt How many attempts it took since the connection was lost; 0: it is the first connection.
 *
 * @typedef {object} Disconnected
 * @property {number} code The close code; 1006 where the connection broke without a word.
 * @property {string} reason What was said of it, or what broke; may be empty.
 * @property {number | null} retryIn Seconds until the next attempt; null: it waits until the page is online again.
 *
 * @typedef {object} Retry
 * @property {number} attempt How many have failed since the connection was lost.
 * @property {number} code
 * @property {string} reason
 * @property {number | null} retryIn As in `disconnected`.
 *
 * @typedef {object} Closed
 * @property {number} code
 * @property {string} reason
 * @property {import("./errors.js").ClosedError | null} error Null where it was this client that closed.
 *
 * @typedef {object} Frame
 * @property {"in" | "out"} direction
 * @property {Record<string, any>} message What it said; tokens are struck out.
 * @property {number} bytes Its size.
 * @property {number} at Unix milliseconds.
 */

/** @typedef {GatewayEvents & ClientEvents & {"*": GatewayEvent}} Events */

export class Listeners {
  /** @type {Map<string, Set<{handler: (event: any) => void}>>} */
  #handlers = new Map();

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(event: Events[Name]) => void} handler
   * @returns {() => void} Ends it.
   */
  add(name, handler) {
    if (typeof handler !== "function") throw new TypeError(`the handler of "${name}" is no function`);
    const entry = { handler };
    const entries = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, entries.add(entry));
    return () => void entries.delete(entry);
  }

  /**
   * Does anybody want to know?
   *
   * @param {keyof Events} name
   */
  has(name) {
    return Boolean(this.#handlers.get(name)?.size);
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} event
   */
  emit(name, event) {
    const entries = this.#handlers.get(name);
    for (const entry of [...(entries ?? [])]) {
      if (!entries?.has(entry)) continue; // another one has ended it
      try {
        entry.handler(event);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Nobody is told of anything any more. */
  end() {
    for (const entries of this.#handlers.values()) entries.clear();
  }
}

/**
 * As the browser does with what a handler of its own events throws. Node would end the program, so there it is only said.
 *
 * @param {unknown} error
 */
function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
