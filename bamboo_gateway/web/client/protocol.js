// Made by docs/generate.py; edit the gateway's own classes instead.

/** The protocol that this client speaks. */
export const PROTOCOL = 2;

/** Entries that `connect.channels` may have. */
export const MAX_CHANNEL_CURSORS = 1024;

/** Characters of an id or a name. */
export const MAX_ID_LENGTH = 256;

/** Levels of arrays and objects in a message. */
export const MAX_NESTING = 64;

/**
 * Close code → what it means, and whether a client shall come back by itself.
 *
 * @type {Record<number, {name: string, reconnect: boolean, meaning: string}>}
 */
export const CLOSE_CODES = {
  1000: { name: "NORMAL", reconnect: false, meaning: "The client closed, and the gateway agreed." },
  1001: { name: "GOING_AWAY", reconnect: true, meaning: "The gateway stops, and waits for nothing." },
  1002: { name: "PROTOCOL_ERROR", reconnect: false, meaning: "A frame breaks RFC 6455." },
  1005: { name: "NO_STATUS", reconnect: false, meaning: "The client closed without a code (never sent, only counted)." },
  1006: { name: "ABNORMAL", reconnect: true, meaning: "The socket went away without a close frame (never sent, only counted)." },
  1007: { name: "INVALID_PAYLOAD", reconnect: false, meaning: "A text frame is not UTF-8." },
  1008: { name: "POLICY_VIOLATION", reconnect: false, meaning: "The client broke a rule that the reason names." },
  1009: { name: "MESSAGE_TOO_BIG", reconnect: false, meaning: "A message exceeds the byte limit." },
  1011: { name: "INTERNAL_ERROR", reconnect: true, meaning: "The gateway failed on this connection; its log knows more." },
  1012: { name: "SERVICE_RESTART", reconnect: true, meaning: "The gateway restarts, after what ran has come to its end." },
  1013: { name: "TRY_AGAIN_LATER", reconnect: true, meaning: "The gateway is full, or too many wrong tokens came from this address." },
  4001: { name: "UNAUTHORIZED", reconnect: false, meaning: "The token is missing or wrong." },
  4002: { name: "CONNECT_TIMEOUT", reconnect: true, meaning: "No `connect` came in time." },
  4003: { name: "SUPERSEDED", reconnect: false, meaning: "A newer connection took the session for itself (`connect.exclusive`)." },
  4004: { name: "HEARTBEAT_LOST", reconnect: true, meaning: "The client answered no ping in time." },
  4005: { name: "SLOW_CONSUMER", reconnect: true, meaning: "The client took no data for too long." },
  4006: { name: "REVOKED", reconnect: false, meaning: "The right to be connected was withdrawn: the token was revoked, or has expired." },
};
