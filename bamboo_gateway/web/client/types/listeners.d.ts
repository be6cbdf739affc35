export type GatewayEvents = import("./messages.js").GatewayEvents;
export type GatewayEvent = import("./messages.js").GatewayEvent;
export type ClientEvents = {
    /**
     * The gateway has greeted: for the first time, or again.
     */
    open: Open;
    /**
     * The connection is lost, and the client tries to come back.
     */
    disconnected: Disconnected;
    /**
     * An attempt to come back has failed; there will be another.
     */
    retry: Retry;
    /**
     * It is over for good.
     */
    closed: Closed;
    /**
     * `client.state` has changed.
     */
    state: {
        state: import("./link.js").State;
    };
    /**
     * A message, as it went over the wire.
     */
    frame: Frame;
};
export type Open = {
    /**
     * Did the session exist before?
     */
    resumed: boolean;
    /**
     * How many attempts it took since the connection was lost; 0: it is the first connection.
     */
    attempt: number;
};
export type Disconnected = {
    /**
     * The close code; 1006 where the connection broke without a word.
     */
    code: number;
    /**
     * What was said of it, or what broke; may be empty.
     */
    reason: string;
    /**
     * Seconds until the next attempt; null: it waits until the page is online again.
     */
    retryIn: number | null;
};
export type Retry = {
    /**
     * How many have failed since the connection was lost.
     */
    attempt: number;
    code: number;
    reason: string;
    /**
     * As in `disconnected`.
     */
    retryIn: number | null;
};
export type Closed = {
    code: number;
    reason: string;
    /**
     * Null where it was this client that closed.
     */
    error: import("./errors.js").ClosedError | null;
};
export type Frame = {
    direction: "in" | "out";
    /**
     * What it said; tokens are struck out.
     */
    message: Record<string, any>;
    /**
     * Its size.
     */
    bytes: number;
    /**
     * Unix milliseconds.
     */
    at: number;
};
export type Events = GatewayEvents & ClientEvents & {
    "*": GatewayEvent;
};
/** @typedef {import("./messages.js").GatewayEvents} GatewayEvents */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/**
 * What a client has to say of itself.
 *
 * @typedef {object} ClientEvents
 * @property {Open} open The gateway has greeted: for the first time, or again.
 * @property {Disconnected} disconnected The connection is lost, and the client tries to come back.
 * @property {Retry} retry An attempt to come back has failed; there will be another.
 * @property {Closed} closed It is over for good.
 * @property {{state: import("./link.js").State}} state `client.state` has changed.
 * @property {Frame} frame A message, as it went over the wire.
 */
/**
 * @typedef {object} Open
 * @property {boolean} resumed Did the session exist before?
 * @property {number} attempt How many attempts it took since the connection was lost; 0: it is the first connection.
 *
 * @typedef {object} Disconnected
 * @property {number} code The close code; 1006 where the connection broke without a word.
 * @property {string} reason What was said of it, or what broke; may be empty.
 * @property {number | null} retryIn Seconds until the next attempt; null: it waits until the page is online again.
 *
 * @typedef {object} Retry
 * @property {number} attempt How many have failed since the connection was lost.
 * @property {number} code
 * @property {string} reason
 * @property {number | null} retryIn As in `disconnected`.
 *
 * @typedef {object} Closed
 * @property {number} code
 * @property {string} reason
 * @property {import("./errors.js").ClosedError | null} error Null where it was this client that closed.
 *
 * @typedef {object} Frame
 * @property {"in" | "out"} direction
 * @property {Record<string, any>} message What it said; tokens are struck out.
 * @property {number} bytes Its size.
 * @property {number} at Unix milliseconds.
 */
/** @typedef {GatewayEvents & ClientEvents & {"*": GatewayEvent}} Events */
export declare class Listeners {
    #private;
    /**
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {(event: Events[Name]) => void} handler
     * @returns {() => void} Ends it.
     */
    add<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void;
    /**
     * Does anybody want to know?
     *
     * @param {keyof Events} name
     */
    has(name: keyof Events): boolean;
    /**
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {Events[Name]} event
     */
    emit<Name extends keyof Events>(name: Name, event: Events[Name]): void;
    /** Nobody is told of anything any more. */
    end(): void;
}
