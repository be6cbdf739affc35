// A message as text: what no message can hold is refused here, and not by the gateway, which could not say whose it was.

import { MAX_ID_LENGTH, MAX_NESTING } from "./protocol.js";

/** Integers have 64 bits on the wire; JavaScript writes the least of them as one too small. */
const INT64 = 2 ** 63;

/** JavaScript writes integers from here on with an exponent, which is a number and no integer. */
const MAX_PLAIN_INTEGER = 1e21;

const HALF_PAIR = /\p{Surrogate}/u;

/**
 * @param {object} message
 * @returns {string}
 * @throws {TypeError} It holds what JSON or the protocol has no words for.
 */
export function encode(message) {
  if (isDeeper(message, MAX_NESTING)) throw new TypeError(`a message has at most ${MAX_NESTING} levels, and no circles`);
  return JSON.stringify(message, check);
}

/**
 * Check what is to be the text of a chat.
 *
 * @param {string} name What it is called.
 * @param {unknown} value
 * @throws {TypeError} It is no text.
 */
export function requireText(name, value) {
  if (typeof value !== "string") throw new TypeError(`${name} is a ${typeof value}, and not text`);
}

/**
 * Check what is to be a name or an id.
 *
 * @param {string} name What it is called.
 * @param {unknown} value
 * @throws {TypeError} It is none.
 */
export function requireName(name, value) {
  requireText(name, value);
  const length = [.../** @type {string} */ (value)].length; // characters are counted as the gateway does
  if (length < 1 || length > MAX_ID_LENGTH) throw new TypeError(`${name} has ${length} characters, and not 1 to ${MAX_ID_LENGTH}`);
}

/**
 * @param {unknown} value
 * @param {number} levels
 * @returns {boolean}
 */
function isDeeper(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function check(key, value) {
  if (typeof value === "string" ? HALF_PAIR.test(value) : HALF_PAIR.test(key)) {
    throw new TypeError(`half of a surrogate pair is no text, at ${JSON.stringify(key)}`);
  }
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`a ${typeof value} is no JSON, at ${JSON.stringify(key)}`);
  }
  if (typeof value === "number" && !isSayable(value)) {
    throw new TypeError(`${value} is no number that a message can hold, at ${JSON.stringify(key)}`);
  }
  return value;
}

/** @param {number} value */
function isSayable(value) {
  if (!Number.isInteger(value) || Math.abs(value) >= MAX_PLAIN_INTEGER) return Number.isFinite(value);
  return Math.abs(value) < INT64;
}

/**
 * The bytes that *text* has on the wire.
 *
 * @param {string} text
 */
export function sizeOf(text) {
  return new TextEncoder().encode(text).length;
}
