import { Cursors } from "./cursors.js";
import { Link } from "./link.js";
import { Listeners } from "./listeners.js";
export type Json = import("./messages.js").Json;
export type Commands = import("./messages.js").Commands;
export type Hello = import("./messages.js").Connect;
export type Connected = import("./messages.js").Connected;
export type ChatAccepted = import("./messages.js").ChatAccepted;
export type Events = import("./listeners.js").Events;
export type Cursor = import("./cursors.js").Cursor;
export type Epochs = import("./cursors.js").Epochs;
export type Options = {
    /**
     * What the gateway asks for, if it does.
     */
    token?: string | null;
    /**
     * The session to come back to; unknown, a new one opens (see `connected.resumed`).
     */
    sessionId?: string | null;
    /**
     * The last event seen of that session's log, as `client.cursor` has it.
     */
    lastSeq?: number | null;
    /**
     * What that was counted in.
     */
    epoch?: string | null;
    /**
     * The last event seen of each channel.
     */
    channels?: Record<string, number> | null;
    /**
     * As `client.cursor` has it, now and then.
     */
    epochs?: Epochs;
    /**
     * `exact`: what was missed comes in the pieces in which it was said.
     */
    replay?: "exact" | "merged" | null;
    /**
     * A session that opens for this goes with the connection: for who only asks something.
     */
    temporary?: boolean;
    /**
     * Close all other connections of the session: now, and not whenever this one comes back.
     */
    exclusive?: boolean;
    /**
     * What to say of oneself.
     */
    client?: {
        name: string;
        version?: string;
    } | null;
    /**
     * When to try again after a lost connection; null: not at all.
     */
    reconnect?: import("./reconnect.js").ReconnectOptions | null;
    /**
     * How long to wait, and how much to hold.
     */
    limits?: Limits;
    /**
     * Ends the attempt to connect; later, the client.
     */
    signal?: AbortSignal | null;
    /**
     * The class to use, where there is no global one.
     */
    WebSocket?: any;
};
export type Limits = {
    /**
     * Seconds from the opening of a socket to the gateway's answer to `connect`, each time. 10 by default.
     */
    connectTimeout?: number;
    /**
     * Seconds that a chat or a command may take to be answered; those without a connection count, too. 60 by default.
     */
    replyTimeout?: number;
    /**
     * Seconds of silence until the client asks whether the gateway is still there. By default so many that
     * silence is noticed within the gateway's own `heartbeat_interval`.
     */
    heartbeatInterval?: number | null;
    /**
     * Seconds that it has to answer that. 10 by default.
     */
    heartbeatTimeout?: number;
    /**
     * Chats and commands that may wait for an answer at once. 1000 by default.
     */
    maxRequests?: number;
};
export type Wait = {
    /**
     * Ends the wait for the answer; what was sent is not taken back.
     */
    signal?: AbortSignal | null;
};
/** @typedef {import("./messages.js").Json} Json */
/** @typedef {import("./messages.js").Commands} Commands */
/** @typedef {import("./messages.js").Connect} Hello */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").ChatAccepted} ChatAccepted */
/** @typedef {import("./listeners.js").Events} Events */
/** @typedef {import("./cursors.js").Cursor} Cursor */
/** @typedef {import("./cursors.js").Epochs} Epochs */
/**
 * @typedef {object} Options All of them may be left out.
 * @property {string | null} [token] What the gateway asks for, if it does.
 * @property {string | null} [sessionId] The session to come back to; unknown, a new one opens (see `connected.resumed`).
 * @property {number | null} [lastSeq] The last event seen of that session's log, as `client.cursor` has it.
 * @property {string | null} [epoch] What that was counted in.
 * @property {Record<string, number> | null} [channels] The last event seen of each channel.
 * @property {Epochs} [epochs] As `client.cursor` has it, now and then.
 * @property {"exact" | "merged" | null} [replay] `exact`: what was missed comes in the pieces in which it was said.
 * @property {boolean} [temporary] A session that opens for this goes with the connection: for who only asks something.
 * @property {boolean} [exclusive] Close all other connections of the session: now, and not whenever this one comes back.
 * @property {{name: string, version?: string} | null} [client] What to say of oneself.
 * @property {import("./reconnect.js").ReconnectOptions | null} [reconnect] When to try again after a lost connection; null: not at all.
 * @property {Limits} [limits] How long to wait, and how much to hold.
 * @property {AbortSignal | null} [signal] Ends the attempt to connect; later, the client.
 * @property {any} [WebSocket] The class to use, where there is no global one.
 */
/**
 * @typedef {object} Limits
 * @property {number} [connectTimeout] Seconds from the opening of a socket to the gateway's answer to `connect`, each time. 10 by default.
 * @property {number} [replyTimeout] Seconds that a chat or a command may take to be answered; those without a connection count, too. 60 by default.
 * @property {number | null} [heartbeatInterval] Seconds of silence until the client asks whether the gateway is still there. By default so many that
 *   silence is noticed within the gateway's own `heartbeat_interval`.
 * @property {number} [heartbeatTimeout] Seconds that it has to answer that. 10 by default.
 * @property {number} [maxRequests] Chats and commands that may wait for an answer at once. 1000 by default.
 */
/**
 * @typedef {object} Wait
 * @property {AbortSignal | null} [signal] Ends the wait for the answer; what was sent is not taken back.
 */
/** A connected client; `connect` makes it. */
export declare class Client {
    #private;
    /**
     * @param {Link} link
     * @param {Listeners} listeners
     * @param {Cursors} cursors
     * @param {{replyTimeout: number}} limits
     */
    constructor(link: Link, listeners: Listeners, cursors: Cursors, limits: {
        replyTimeout: number;
    });
    /** @returns {import("./link.js").State} */
    get state(): import("./link.js").State;
    /** @returns {Connected} What the gateway answered to `connect`, the last time. */
    get connected(): Connected;
    /** @returns {string} The session that this client speaks in: another one, if the gateway has lost it meanwhile. */
    get sessionId(): string;
    /** @returns {Cursor} What was told so far; plain JSON. Give it to `connect` to go on there. */
    get cursor(): Cursor;
    /**
     * Have *handler* told of each event of this name, in the order in which they come.
     *
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {(event: Events[Name]) => void} handler
     * @returns {() => void} Ends it.
     */
    on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void;
    /**
     * Send a chat; resolve when the gateway has taken it. What the agent says to it comes as events.
     *
     * It is sent again after a lost connection, with the same id, as long as this
     * is waited for. *id* is the chat's key in those events, by default a new one;
     * whoever asks once more names the same.
     *
     * Rejects with `RefusedError`, `NoReplyError`, `ClosedError`, `BusyError`; or
     * `TypeError`, where it is no JSON.
     *
     * @param {string} content
     * @param {{id?: string, metadata?: Record<string, Json> | null} & Wait} [options]
     * @returns {Promise<ChatAccepted>}
     */
    chat(content: string, { id, metadata, signal }?: {
        id?: string;
        metadata?: Record<string, Json> | null;
    } & Wait): Promise<ChatAccepted>;
    /**
     * Run a command, for this session or for *sessionId*; resolve with its result.
     *
     * It is sent again as a chat is. Whoever asks once more, after a refusal that is
     * `retryable` or no reply, names the same *id*, so that nothing runs twice.
     *
     * Rejects as `chat` does.
     *
     * @template {keyof Commands | (string & {})} Name
     * @param {Name} name
     * @param {Name extends keyof Commands ? Commands[Name]["args"] | null : Json} [args]
     * @param {{id?: string, sessionId?: string | null} & Wait} [options]
     * @returns {Promise<Name extends keyof Commands ? Commands[Name]["result"] : Json>}
     */
    command<Name extends keyof Commands | (string & {})>(name: Name, args?: Name extends keyof Commands ? Commands[Name]["args"] | null : Json, { id, sessionId, signal }?: {
        id?: string;
        sessionId?: string | null;
    } & Wait): Promise<Name extends keyof Commands ? Commands[Name]["result"] : Json>;
    /** Try to come back now, and not when the pause is over. */
    reconnectNow(): void;
    /** End the connection for good; resolve once the gateway was told. What waits for an answer is rejected. */
    close(): Promise<void>;
}
/**
 * Connect to the gateway at *url*.
 *
 * Handlers may be added to the client until the end of the task in which this
 * resolves: nothing is told before that.
 *
 * Rejects with `ConnectError`, where there is no gateway that could be reached in
 * time; `RefusedError`, where it does not want this client (`UNAUTHORIZED`, say);
 * `ClosedError`, where the connection ended before its answer.
 *
 * @param {string | URL} url `ws://HOST:PORT`, or `wss:`.
 * @param {Options} [options]
 * @returns {Promise<Client>}
 */
export declare function connect(url: string | URL, options?: Options): Promise<Client>;
