// A message as text: what no message can hold is refused here, and not by the gateway, which could not say whose it was.

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
  return JSON.stringify(message, check);
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
