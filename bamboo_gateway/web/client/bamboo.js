// The browser client of Bamboo Gateway: connect to a gateway, chat, run commands, hear events, and come back by itself.
export { connect, Client } from "./client.js";
export { BusyError, ClientError, ClosedError, ConnectError, NoReplyError, RefusedError } from "./errors.js";
export { CLOSE_CODES } from "./protocol.js";

/** @typedef {import("./client.js").Options} Options */
/** @typedef {import("./client.js").Limits} Limits */
/** @typedef {import("./cursors.js").Cursor} Cursor */
/** @typedef {import("./link.js").State} State */
/** @typedef {import("./listeners.js").Events} Events */
/** @typedef {import("./listeners.js").ClientEvents} ClientEvents */
/** @typedef {import("./messages.js").Commands} Commands */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./messages.js").GatewayEvents} GatewayEvents */
