// The messages of one channel, as they came.

/** Messages that are kept. */
export const KEPT = 500;

/** *log*: rises with each gap; behind one, numbers may begin anew. The key has it, too.
 * @typedef {{key: string, kind: "message" | "gap", content: string, who: string, ts: number | null, sessionId: string | null, log: number}} Line */

/**
 * @param {readonly Line[]} lines @param {any} event @param {string} name The channel's.
 * @returns {readonly Line[]} The same, if the event tells nothing of this channel.
 */
export function withEvent(lines, event, name) {
  if (event.channel !== name) return lines;
  const log = lines.at(-1)?.log ?? 0;
  if (event.type === "gap") return withLine(lines, gapLine(event, log + 1));
  if (event.type !== "channel_message") return lines;
  const line = messageLine(event, log);
  return lines.some(({ key }) => key === line.key) ? lines : withLine(lines, line);
}

/** @param {readonly Line[]} lines @param {Line} line @returns {readonly Line[]} */
function withLine(lines, line) {
  return [...lines, line].slice(-KEPT);
}

/** @param {any} event @param {number} log @returns {Line} */
function gapLine(event, log) {
  const missing = event.earliest - event.requested;
  const content =
    missing > 0 ? `${missing} older messages are no longer in the channel's log` : "The channel's log begins anew here";
  return { key: `${log}-gap`, kind: "gap", content, who: "", ts: null, sessionId: null, log };
}

/** @param {any} event @param {number} log @returns {Line} */
function messageLine(event, log) {
  return {
    key: `${log}-${event.seq}`,
    kind: "message",
    content: event.content,
    who: event.user_id ?? "outside",
    ts: event.ts ?? null,
    sessionId: event.session_id ?? null,
    log,
  };
}
