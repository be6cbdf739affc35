export type Listeners = import("./listeners.js").Listeners;
/**
 * Tells listeners of frames; at no cost, where nobody listens.
 *
 * Until `release` it keeps them: the first ones come before anybody can listen.
 */
export declare class Frames {
    #private;
    /** @param {Listeners} listeners */
    constructor(listeners: Listeners);
    /**
     * @param {"in" | "out"} direction
     * @param {any} message
     * @param {string} text
     */
    tell(direction: "in" | "out", message: any, text: string): void;
    /** From here on they are told at once. */
    release(): void;
}
