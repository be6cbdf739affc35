import { ClosedError } from "./errors.js";
export type Connect = import("./messages.js").Connect;
export type Connected = import("./messages.js").Connected;
export type GatewayEvent = import("./messages.js").GatewayEvent;
export type Clock = import("./clock.js").Clock;
export type Frames = import("./frames.js").Frames;
export type Door = {
    url: string;
    WebSocket: typeof globalThis.WebSocket;
    clock: Clock;
    /**
     * Seconds from the opening of the socket to the gateway's answer to `connect`.
     */
    timeout: number;
};
export type Listener = {
    message: (event: GatewayEvent) => void;
    /**
     * Nothing comes after it.
     */
    closed: (end: ClosedError) => void;
};
/**
 * @typedef {object} Door
 * @property {string} url
 * @property {typeof globalThis.WebSocket} WebSocket
 * @property {Clock} clock
 * @property {number} timeout Seconds from the opening of the socket to the gateway's answer to `connect`.
 */
/**
 * @typedef {object} Listener
 * @property {(event: GatewayEvent) => void} message
 * @property {(end: ClosedError) => void} closed Nothing comes after it.
 */
/**
 * One connection, as messages.
 *
 * Invariant: what came before anybody listened is kept, and then told in order.
 * After `abandon` or `close` nothing is told any more.
 */
export declare class Wire {
    #private;
    /**
     * @param {Door} door
     * @param {Frames} frames Told of every message.
     * @param {Connect} hello Said as soon as the socket is open.
     * @throws {ConnectError} It is no URL, or none that this page may use.
     */
    constructor(door: Door, frames: Frames, hello: Connect);
    /** Did the WebSocket come about? */
    get wasOpen(): boolean;
    get trouble(): string;
    /**
     * Send one message, if the connection is still open; if not, `closed` will say so.
     *
     * @param {object} message
     */
    send(message: object): void;
    /** @param {Listener} listener Told of all that has come and comes. */
    listen(listener: Listener): void;
    /** Keep what comes from here on. */
    pause(): void;
    /**
     * Hang up on a peer that is gone, or talks nonsense.
     *
     * @param {ClosedError} end What the listener is told.
     */
    fail(end: ClosedError): void;
    /** Hang up; nobody is told of it. */
    abandon(): void;
    /** Say goodbye, and wait `CLOSE_TIMEOUT` at most for the answer; nobody else is told of it. */
    close(): Promise<void>;
}
/**
 * Connect and say *hello*; return the connection, to which nobody listens yet, and the greeting.
 *
 * @param {Door} door
 * @param {Frames} frames
 * @param {Connect} hello
 * @param {{timeout?: number, signal?: AbortSignal | null}} [wait] *timeout*: seconds, if they are fewer than the door's.
 *   *signal*: gives it up.
 * @returns {Promise<{wire: Wire, connected: Connected}>}
 * @throws {ConnectError} There is no gateway that could be reached in time.
 * @throws {RefusedError} The gateway does not want this client.
 * @throws {ClosedError} The connection ended before the gateway's answer.
 */
export declare function open(door: Door, frames: Frames, hello: Connect, { timeout, signal }?: {
    timeout?: number;
    signal?: AbortSignal | null;
}): Promise<{
    wire: Wire;
    connected: Connected;
}>;
