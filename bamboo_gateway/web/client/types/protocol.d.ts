/** The protocol that this client speaks. */
export declare const PROTOCOL = 2;
/** Entries that `connect.channels` may have. */
export declare const MAX_CHANNEL_CURSORS = 1024;
/** Characters of an id or a name. */
export declare const MAX_ID_LENGTH = 256;
/** Levels of arrays and objects in a message. */
export declare const MAX_NESTING = 64;
/**
 * Close code → what it means, and whether a client shall come back by itself.
 *
 * @type {Record<number, {name: string, reconnect: boolean, meaning: string}>}
 */
export declare const CLOSE_CODES: Record<number, {
    name: string;
    reconnect: boolean;
    meaning: string;
}>;
