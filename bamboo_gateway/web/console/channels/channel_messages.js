// The messages of one channel, as they came.

/** Messages that are kept. */
export const KEPT = 500;

/** @typedef {{key: string, kind: "message" | "gap", content: string, who: string, ts: number | null, sessionId: string | null}} Line */

/**
 * @param {readonly Line[]} lines @param {any} event @param {string} name The channel's.
 * @returns {readonly Line[]} The same, if the event tells nothing of this channel.
 */
export function withEvent(lines, event, name) {
  if (event.channel !== name) return lines;
  if (event.type === "gap") {
    const missing = event.earliest - event.requested;
    const content =
      missing > 0
        ? `${missing} older messages are no longer in the channel's log`
        : "The channel's log begins anew here";
    return [
      ...lines,
      { key: `gap-${event.epoch}-${event.requested}`, kind: "gap", content, who: "", ts: null, sessionId: null },
    ];
  }
  if (event.type !== "channel_message" || lines.some((line) => line.key === `${event.seq}`)) return lines;
  const line = /** @type {Line} */ ({
    key: `${event.seq}`,
    kind: "message",
    content: event.content,
    who: event.user_id ?? "outside",
    ts: event.ts ?? null,
    sessionId: event.session_id ?? null,
  });
  return [...lines, line].slice(-KEPT);
}
