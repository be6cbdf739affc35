// The browser client of Bamboo Gateway: connect to a gateway, chat, run commands, hear events, and come back by itself.
export { connect, Client } from "./client.js";
export { BusyError, ClientError, ClosedError, ConnectError, NoReplyError, RefusedError } from "./errors.js";
export { CLOSE_CODES } from "./protocol.js";
