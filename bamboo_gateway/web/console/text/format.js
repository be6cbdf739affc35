// Numbers, times and names as people read them.

const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB"];

/** @param {number} count @returns {string} */
export function bytes(count) {
  let unit = 0;
  let rest = count;
  while (rest >= 1000 && unit < BYTE_UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** Whole numbers in groups of three. @param {number} count @returns {string} */
export function integer(count) {
  return Math.round(count).toLocaleString("en-US");
}

/** Few digits: 0.4, 12, 1.2k, 3.4M. @param {number} value @returns {string} */
export function compact(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  if (size >= 100 || Number.isInteger(value)) return integer(value);
  return trimmed(value);
}

/** @param {number} value */
function trimmed(value) {
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 1).replace(/\.0$/, "");
}

/** How long: 320 µs, 4.2 ms, 1.3 s, 4 min 5 s, 3 h 12 min, 2 d 4 h. @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (seconds <= 0) return "0 ms";
  if (seconds < 0.001) return `${Math.max(1, Math.round(seconds * 1e6))} µs`;
  if (seconds < 0.9995) return `${trimmed3(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${trimmed3(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return both(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86400) return both(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  return both(Math.floor(whole / 86400), "d", Math.floor((whole % 86400) / 3600), "h");
}

/** @param {number} value */
function trimmed3(value) {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(value >= 10 ? 0 : 1).replace(/\.0$/, "");
}

/** @param {number} large @param {string} largeUnit @param {number} small @param {string} smallUnit */
function both(large, largeUnit, small, smallUnit) {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** How long ago *then* was; both in Unix milliseconds. @param {number} then @param {number} now @returns {string} */
export function ago(then, now) {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** The whole date and time, for a title. @param {number} milliseconds Unix time. @returns {string} */
export function moment(milliseconds) {
  return new Date(milliseconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** Hours and minutes; with the day, if it is another one. @param {number} then @param {number} now @returns {string} */
export function clock(then, now) {
  const date = new Date(then);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

/** 14:03:09.271, in the local zone. @param {number} milliseconds Unix time. @returns {string} */
export function preciseClock(milliseconds) {
  const date = new Date(milliseconds);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** *1 session*, *3 sessions*. @param {number} count @param {string} one @param {string} [many] @returns {string} */
export function plural(count, one, many = `${one}s`) {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

/** Enough of an id to tell it from others. @param {string} id @returns {string} */
export function shortId(id) {
  return id.length > 13 ? id.slice(0, 8) : id;
}

/** What a session is called. @param {{session_id: string, name?: string | null}} session @returns {string} */
export function sessionTitle(session) {
  return session.name ?? `Session ${shortId(session.session_id)}`;
}

/** The same, with the id where others of *sessions* are called so, too. @param {{session_id: string, name?: string | null}} session @param {readonly {name?: string | null}[]} sessions @returns {string} */
export function distinctTitle(session, sessions) {
  const isAlone = !session.name || sessions.filter((each) => each.name === session.name).length < 2;
  return isAlone ? sessionTitle(session) : `${session.name} (${shortId(session.session_id)})`;
}

/** The first *limit* characters on one line. @param {string} text @param {number} limit @returns {string} */
export function excerpt(text, limit) {
  const line = text
    .slice(0, limit * 2)
    .replace(/\s+/g, " ")
    .trim();
  return line.length > limit ? `${line.slice(0, limit - 1).trimEnd()}…` : line;
}

/** A text as a sentence: with a capital and a full stop. @param {string} text @returns {string} */
export function sentence(text) {
  const begun = /^[a-z][a-z]*[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(begun) || begun === "" ? begun : `${begun}.`;
}

/** JSON to be read by people; text that is JSON is set out like it, and other text left alone. @param {unknown} value @returns {string} */
export function pretty(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
