// Messages as they went over the wire, for whoever wants to look on.
import { sizeOf } from "./encoding.js";

/** @typedef {import("./listeners.js").Listeners} Listeners */

const STRUCK_OUT = "…";

/**
 * Tells listeners of frames; at no cost, where nobody listens.
 *
 * Until `release` it keeps them: the first ones come before anybody can listen.
 */
export class Frames {
  /** @type {Array<() => void> | null} */
  #kept = [];
  #listeners;

  /** @param {Listeners} listeners */
  constructor(listeners) {
    this.#listeners = listeners;
  }

  /**
   * @param {"in" | "out"} direction
   * @param {any} message
   * @param {string} text
   */
  tell(direction, message, text) {
    const at = Date.now();
    const tell = () => {
      if (!this.#listeners.has("frame")) return;
      this.#listeners.emit("frame", { direction, message: withoutToken(message), bytes: sizeOf(text), at });
    };
    if (this.#kept) this.#kept.push(tell);
    else tell();
  }

  /** From here on they are told at once. */
  release() {
    const kept = this.#kept ?? [];
    this.#kept = null;
    for (const tell of kept) tell();
  }
}

/** @param {any} message */
function withoutToken(message) {
  if (message.type === "connect" && message.auth) return { ...message, auth: STRUCK_OUT };
  if (message.type === "command" && message.name === "auth.refresh") return { ...message, args: STRUCK_OUT };
  return message;
}
