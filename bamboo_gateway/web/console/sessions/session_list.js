// The pages of sessions that are shown: the newest one is read again and again, older ones on request.

/** Sessions of one page. */
export const PAGE = 50;

/** @typedef {{sessions: readonly any[], next: number | null}} Page */

/**
 * Put the newest page, read anew, before what was loaded of older ones. A session stands once, as it was read last.
 *
 * @param {readonly any[]} shown @param {Page} newest @param {number} loaded How many pages are shown.
 * @returns {readonly any[]}
 */
export function refreshed(shown, newest, loaded) {
  if (loaded <= 1 || newest.next === null) return newest.sessions;
  const fresh = new Set(newest.sessions.map((session) => session.session_id));
  const oldest = newest.sessions.at(-1)?.created_at ?? 0;
  // What is younger than the page's end and not in it was deleted.
  const older = shown.filter((session) => !fresh.has(session.session_id) && session.created_at <= oldest);
  return [...newest.sessions, ...older];
}

/**
 * The order in which they stand: those that run, which keep their places while they do, and then those used last.
 *
 * @param {readonly any[]} sessions @returns {any[]}
 */
export function ordered(sessions) {
  const [running, idle] = [true, false].map((runs) => sessions.filter(({ state }) => (state === "running") === runs));
  return [...(running ?? []), ...(idle ?? []).sort((one, other) => other.last_activity - one.last_activity)];
}

/** @param {readonly any[]} shown @param {Page} older @returns {readonly any[]} */
export function extended(shown, older) {
  const known = new Set(shown.map((session) => session.session_id));
  return [...shown, ...older.sessions.filter((session) => !known.has(session.session_id))];
}

/** With whom a session is shared, in words; empty: with nobody, or it is not ours to know. @param {any} session @returns {string} */
export function sharedWith(session) {
  if (session.access !== "own") return session.access === "chat" ? "shared with you" : "shared with you to read";
  const names = Object.keys(session.shares ?? {});
  if (names.length === 0) return "";
  return names.length <= 2
    ? `shared with ${names.join(" and ")}`
    : `shared with ${names[0]} and ${names.length - 1} others`;
}
