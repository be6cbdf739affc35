export type GatewayEvent = import("./messages.js").GatewayEvent;
export type Chat = import("./messages.js").Chat;
export type Command = import("./messages.js").Command;
export type Clock = import("./clock.js").Clock;
export type ClosedError = import("./errors.js").ClosedError;
export type Request = {
    message: (Chat | Command) & {
        id: string;
    };
    /**
     * What answers it, or else an `error`.
     */
    kind: "chat_accepted" | "command_result";
    resolve: (answer: any) => void;
    reject: (error: unknown) => void;
    /**
     * Nobody waits for it any longer.
     */
    forget: () => void;
};
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./messages.js").Chat} Chat */
/** @typedef {import("./messages.js").Command} Command */
/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./errors.js").ClosedError} ClosedError */
/**
 * @typedef {object} Request
 * @property {(Chat | Command) & {id: string}} message
 * @property {"chat_accepted" | "command_result"} kind What answers it, or else an `error`.
 * @property {(answer: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {() => void} forget Nobody waits for it any longer.
 */
/**
 * The requests of one client, in the order in which they were made.
 *
 * Invariant: a request is listed exactly while somebody waits for its answer,
 * and never more than *most* do; those that are yet to be sent over the present
 * connection are some of the listed.
 */
export declare class Requests {
    #private;
    /**
     * @param {{comesBack: boolean, most: number, clock: Clock}} options *comesBack*: will there be another connection
     *   after this one? Then a gateway that is about to stop has answered nothing: the one after it will.
     */
    constructor({ comesBack, most, clock }: {
        comesBack: boolean;
        most: number;
        clock: Clock;
    });
    get size(): number;
    /**
     * List *message*, until it is answered or not waited for any longer; return the answer.
     *
     * @param {Request["message"]} message
     * @param {Request["kind"]} kind
     * @param {{timeout: number, signal?: AbortSignal | null}} wait *timeout*: seconds. *signal*: ends the wait, and takes nothing back.
     * @returns {Promise<any>}
     */
    expect(message: Request["message"], kind: Request["kind"], { timeout, signal }: {
        timeout: number;
        signal?: AbortSignal | null;
    }): Promise<any>;
    /** A new connection: what is unanswered is to be sent again, ahead of what is still to come. */
    rewind(): void;
    /**
     * Take all that is yet to be sent, in order.
     *
     * @returns {Request["message"][]}
     */
    takeUnsent(): Request["message"][];
    /**
     * Hand *event* to who waits for it; false: nobody does.
     *
     * @param {GatewayEvent} event
     * @returns {boolean}
     */
    settle(event: GatewayEvent): boolean;
    /**
     * Tell all who wait, and who comes later, that no answer will come.
     *
     * @param {ClosedError} error
     */
    close(error: ClosedError): void;
}
