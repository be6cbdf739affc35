export { connect, Client } from "./client.js";
export { BusyError, ClientError, ClosedError, ConnectError, NoReplyError, RefusedError } from "./errors.js";
export { CLOSE_CODES } from "./protocol.js";
export type Options = import("./client.js").Options;
export type Limits = import("./client.js").Limits;
export type Cursor = import("./cursors.js").Cursor;
export type State = import("./link.js").State;
export type Events = import("./listeners.js").Events;
export type ClientEvents = import("./listeners.js").ClientEvents;
export type Commands = import("./messages.js").Commands;
export type GatewayEvent = import("./messages.js").GatewayEvent;
export type GatewayEvents = import("./messages.js").GatewayEvents;
/** @typedef {import("./client.js").Options} Options */
/** @typedef {import("./client.js").Limits} Limits */
/** @typedef {import("./cursors.js").Cursor} Cursor */
/** @typedef {import("./link.js").State} State */
/** @typedef {import("./listeners.js").Events} Events */
/** @typedef {import("./listeners.js").ClientEvents} ClientEvents */
/** @typedef {import("./messages.js").Commands} Commands */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./messages.js").GatewayEvents} GatewayEvents */
