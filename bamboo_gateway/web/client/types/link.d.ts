import { Requests } from "./requests.js";
export type Connect = import("./messages.js").Connect;
export type Connected = import("./messages.js").Connected;
export type GatewayEvent = import("./messages.js").GatewayEvent;
export type Door = import("./wire.js").Door;
export type Wire = import("./wire.js").Wire;
export type Cursors = import("./cursors.js").Cursors;
export type Reconnect = import("./reconnect.js").Reconnect;
export type Listeners = import("./listeners.js").Listeners;
export type Surroundings = import("./surroundings.js").Surroundings;
export type State = "open" | "reconnecting" | "closed";
export type Setup = {
    door: Door;
    hello: Connect;
    cursors: Cursors;
    reconnect: Reconnect | null;
    listeners: Listeners;
    surroundings: Surroundings;
    /**
     * From 0 to 1.
     */
    chance: () => number;
    maxRequests: number;
    heartbeatInterval: number | null;
    heartbeatTimeout: number;
};
/**
 * Keeps a client connected.
 *
 * Invariant: each event of a log gets to the listeners once and in order, however
 * often the connection breaks, or a gap says what is missing. A request is sent
 * over each connection, until it is answered or nobody waits for it.
 */
export declare class Link {
    #private;
    /** @type {State} */
    state: State;
    /** @type {Connected | null} */
    connected: Connected | null;
    requests: Requests;
    /** @param {Setup} setup */
    constructor(setup: Setup);
    /**
     * Connect for the first time.
     *
     * What comes is told from the task after this one on: whoever waited for this
     * has had time by then to say what it wants to hear.
     *
     * @param {AbortSignal | null} [signal]
     * @throws {import("./errors.js").ClientError} It did not come about.
     */
    start(signal?: AbortSignal | null): Promise<void>;
    /** Send what is asked for, in order; without a connection it waits for one. */
    flush(): void;
    /**
     * Show another token from the next connection on.
     *
     * @param {string} token
     */
    rememberToken(token: string): void;
    /** Try to come back now, and not when the pause is over. */
    reconnectNow(): void;
    /** Say goodbye; return once that is said. */
    close(): Promise<void>;
}
