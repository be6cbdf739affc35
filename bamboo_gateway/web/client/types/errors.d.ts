/** The root of the client's errors. */
export declare class ClientError extends Error {
    /** @param {string} message */
    constructor(message: string);
}
/** No connection came about: a wrong URL, nobody there, no gateway, or no answer in time. */
export declare class ConnectError extends ClientError {
}
/** There was not even a WebSocket. A page is not told why: nobody there, or HTTP 403, are one and the same to it. */
export declare class UnreachedError extends ConnectError {
    trouble: string;
    /**
     * @param {string} url
     * @param {string} trouble What the socket said of it, if it did.
     */
    constructor(url: string, trouble: string);
}
/** A request was sent and not answered in time; whether it was carried out is unknown. */
export declare class NoReplyError extends ClientError {
}
/** So many requests wait for their answer that no more are taken; this one was not sent. */
export declare class BusyError extends ClientError {
}
/** The gateway said no to a request: `connect`, a chat or a command. Nothing has changed. */
export declare class RefusedError extends ClientError {
    code: string;
    /** May the same request succeed later, unchanged? */
    retryable: boolean;
    /** Seconds to wait before that, if the gateway said so. */
    retryAfter: number | null;
    /**
     * @param {string} code The wire's `error.code`, such as `UNAUTHORIZED`.
     * @param {string} message What, where and how to fix it.
     * @param {{retryable?: boolean | null, retryAfter?: number | null}} [later]
     */
    constructor(code: string, message: string, { retryable, retryAfter }?: {
        retryable?: boolean | null;
        retryAfter?: number | null;
    });
}
/** The connection is over. */
export declare class ClosedError extends ClientError {
    code: number;
    reason: string;
    /** Seconds until it is worth while to come back, if the gateway said so. */
    retryAfter: number | null;
    /** Seconds behind those over which its clients shall spread, if it said so. */
    jitter: number | null;
    /** Is it worth to come back, or would the gateway only refuse again? */
    reconnect: boolean;
    /**
     * @param {number} code The close code; 1006 where the connection broke without a word.
     * @param {string} reason What was said of it; may be empty.
     * @param {{retryAfter?: number | null, jitter?: number | null}} [back]
     */
    constructor(code: number, reason: string, { retryAfter, jitter }?: {
        retryAfter?: number | null;
        jitter?: number | null;
    });
    /** The same, to be thrown once more, with a stack of its own. */
    again(): ClosedError;
}
/**
 * Say as the end of a connection why one did not come about.
 *
 * Nobody there, or a gateway that says "later", is as good as a socket that
 * broke: it is worth to try again. Any other refusal would only come again.
 *
 * @param {unknown} error
 * @returns {ClosedError}
 */
export declare function asClosing(error: unknown): ClosedError;
