// Where in the console one is: the part of the address behind the `#`, and nothing else of it.

/** @typedef {"sessions" | "chat" | "channels" | "overview" | "events"} ViewName */
/** @typedef {{view: ViewName, id: string | null}} Route */

/** In the order of the navigation. @type {readonly ViewName[]} */
export const VIEWS = ["sessions", "chat", "channels", "overview", "events"];

/** What is unknown leads to the sessions. @param {string} hash @returns {Route} */
export function parseRoute(hash) {
  const [, name = "", ...rest] = hash.replace(/^#/, "").split("/");
  const view = VIEWS.find((each) => each === name);
  if (!view) return { view: "sessions", id: null };
  return { view, id: decoded(rest.join("/")) };
}

/** @param {ViewName} view @param {string | null} [id] @returns {string} */
export function hashOf(view, id = null) {
  return id === null ? `#/${view}` : `#/${view}/${encodeURIComponent(id)}`;
}

/** @param {string} text @returns {string | null} */
function decoded(text) {
  if (text === "") return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
