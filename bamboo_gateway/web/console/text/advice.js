// What a person can do about each error code: one table, shown beside what the gateway itself says.

/** @type {Record<string, {title: string, todo: string}>} */
const ADVICE = {
  UNAUTHORIZED: { title: "The token is not accepted", todo: "Sign in with a token that this gateway knows." },
  CAPACITY_EXCEEDED: {
    title: "The gateway is full",
    todo: "Try again when somebody has left, or raise max_connections.",
  },
  SUPERSEDED: {
    title: "Opened elsewhere",
    todo: "Another connection took this session for itself. Reload to take it back.",
  },
  MESSAGE_TOO_BIG: { title: "Too long", todo: "Send it in parts, or raise max_message_bytes." },
  SESSION_NOT_FOUND: {
    title: "No such session",
    todo: "It was deleted, or is somebody else's. The list has what there is.",
  },
  SESSION_ENDED: {
    title: "The session has ended",
    todo: "Begin a new one; this conversation is gone from the gateway.",
  },
  QUEUE_FULL: { title: "The queue is full", todo: "Wait until a turn is over, or abort one, then send it again." },
  LIMIT_EXCEEDED: { title: "A limit is reached", todo: "Delete what is no longer needed, or have the limit raised." },
  AGENT_ERROR: { title: "The agent failed", todo: "The session lives on: send the message again, or another one." },
  AGENT_ABORTED: { title: "Aborted", todo: "What had been said until then is kept. Send another message to go on." },
  AGENT_INTERRUPTED: {
    title: "Interrupted by a restart",
    todo: "The gateway ended in mid-answer. Send the message again.",
  },
  INVALID_ARGUMENTS: { title: "The gateway does not accept this", todo: "Change what the text names." },
  CHANNEL_NOT_FOUND: { title: "No such channel", todo: "It was deleted meanwhile." },
  CHANNEL_EXISTS: { title: "The name is taken", todo: "Choose another name." },
  NOT_A_MEMBER: { title: "Not a member", todo: "Let the session join the channel first." },
  STORAGE_UNAVAILABLE: {
    title: "The storage fails at the moment",
    todo: "Nothing was lost. Try again shortly; the operator should look at the disk.",
  },
  FORBIDDEN: { title: "Not allowed", todo: "Ask whoever gave you the token for the missing scope." },
  RATE_LIMITED: { title: "Too fast", todo: "Wait a moment." },
  STOPPING: { title: "The gateway is about to stop", todo: "It takes in nothing new. Try again when it is back." },
  IDENTITY_UNAVAILABLE: {
    title: "Nobody can be let in at the moment",
    todo: "What the gateway asks for who you are fails. Try again shortly.",
  },
  ID_REUSED: { title: "Said before, otherwise", todo: "Send it as a new message." },
  COMMAND_INTERRUPTED: { title: "Interrupted by a restart", todo: "Look whether it was done, before you repeat it." },
  UNKNOWN_COMMAND: { title: "Unknown command", todo: "This gateway is older than the page: reload." },
};

/** @typedef {{code: string, title: string, message: string, todo: string, retryAfter: number | null}} Trouble */

/**
 * Make of whatever was thrown, or of an `error` event, what a person is shown.
 *
 * @param {any} error
 * @returns {Trouble}
 */
export function trouble(error) {
  const code = typeof error?.code === "string" ? error.code : "";
  const advice = ADVICE[code];
  const retryAfter = error?.retryAfter ?? error?.retry_after ?? null;
  return {
    code,
    title: advice?.title ?? (code ? "The gateway refused" : "That did not work"),
    message: String(error?.message ?? error ?? ""),
    todo: advice?.todo ?? "",
    retryAfter,
  };
}
