// When a client tries to come back, as a page shows it.

/** When the next attempt is, by the page's clock. @param {number | null} seconds Null: when the page is online again. */
export function retryTime(seconds) {
  return seconds === null ? null : Date.now() + 1000 * seconds;
}
