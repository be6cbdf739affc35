// Ids for what this page says; `crypto.randomUUID` is not there for pages that came over plain HTTP.

/** @returns {string} 32 random hexadecimal digits. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
