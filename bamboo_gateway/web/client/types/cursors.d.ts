export type Connect = import("./messages.js").Connect;
export type Connected = import("./messages.js").Connected;
export type Gap = import("./messages.js").Gap;
export type GatewayEvent = import("./messages.js").GatewayEvent;
/** @typedef {import("./messages.js").Connect} Connect */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").Gap} Gap */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** The log of broadcasts, as `channel` names it. */
export declare const BROADCAST = "*";
export type Place = {
    seq: number;
    epoch: string | null;
};
export type Cursor = {
    sessionId: string;
    /**
     * The last event seen of the session's log.
     */
    lastSeq: number;
    /**
     * What `lastSeq` and `channels` are counted in.
     */
    epoch: string | null;
    /**
     * Channel name → the last event seen there; `"*"`: the broadcasts.
     */
    channels: Record<string, number>;
    /**
     * Only in the moments after the gateway has lost its logs and before each log has told so.
     */
    epochs?: Epochs;
};
export type Epochs = {
    /**
     * The gateway's, when it was last heard.
     */
    gateway: string | null;
    /**
     * Channel name → its own.
     */
    channels: Record<string, string | null>;
};
/**
 * A place in one log: the last event seen, and what its number was counted in.
 *
 * @typedef {{seq: number, epoch: string | null}} Place
 */
/**
 * Where a client has got to in all of its logs; plain JSON, to be kept across a reload of the page.
 *
 * @typedef {object} Cursor
 * @property {string} sessionId
 * @property {number} lastSeq The last event seen of the session's log.
 * @property {string | null} epoch What `lastSeq` and `channels` are counted in.
 * @property {Record<string, number>} channels Channel name → the last event seen there; `"*"`: the broadcasts.
 * @property {Epochs} [epochs] Only in the moments after the gateway has lost its logs and before each log has told so.
 */
/**
 * Which logs count in another epoch than the cursor's.
 *
 * @typedef {object} Epochs
 * @property {string | null} gateway The gateway's, when it was last heard.
 * @property {Record<string, string | null>} channels Channel name → its own.
 */
/**
 * One client's cursors; a plain object without clock or socket.
 *
 * Invariant: an event of a log is admitted at most once. A cursor that has not
 * been moved to the gateway's epoch keeps its own, so that the gateway still
 * tells of that gap if the connection breaks before it did.
 */
export declare class Cursors {
    #private;
    /** @param {{[Key in keyof Cursor]?: Cursor[Key] | null}} [from] Where an earlier client has got to. */
    constructor({ sessionId, lastSeq, epoch, channels, epochs }?: { [Key in keyof Cursor]?: Cursor[Key] | null; });
    /** @returns {Cursor} Where it has got to by now; for whoever has been greeted. */
    get cursor(): Cursor;
    /**
     * The gateway has let the client in; in a new session its log is a new one.
     *
     * @param {Connected} connected
     */
    greet(connected: Connected): void;
    /**
     * Is *event* new? Then it counts as seen from here on. What is no part of a log always is.
     *
     * @param {GatewayEvent} event
     * @returns {boolean}
     */
    admit(event: GatewayEvent): boolean;
    /**
     * Say *hello* as one who comes back.
     *
     * `connect` has one epoch for all cursors. Where they differ, some log has yet
     * to tell of its gap, and the epoch named is one that is no longer the
     * gateway's: then it tells of all gaps and sends all logs again, and `admit`
     * knows what it has seen already. Such a replay must be exact, because joined
     * tokens could hold both old and new.
     *
     * @param {Connect} hello
     * @returns {Connect}
     */
    resume(hello: Connect): Connect;
}
