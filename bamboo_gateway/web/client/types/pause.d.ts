export type Clock = import("./clock.js").Clock;
export type Length = {
    seconds: number;
    /**
     * Seconds that the gateway has asked for: only who says "now" cuts them short.
     */
    least: number;
    /**
     * Seconds on top to wait for a network, where there is none: browsers have been wrong about it.
     */
    longest: number;
};
/** @typedef {import("./clock.js").Clock} Clock */
/**
 * @typedef {object} Length
 * @property {number} seconds
 * @property {number} least Seconds that the gateway has asked for: only who says "now" cuts them short.
 * @property {number} longest Seconds on top to wait for a network, where there is none: browsers have been wrong about it.
 */
/** Waits, for one at a time. */
export declare class Pause {
    #private;
    /**
     * @param {Clock} clock
     * @param {() => boolean} isCutOff Is there no network on which the gateway could be?
     */
    constructor(clock: Clock, isCutOff: () => boolean);
    /** There is hope: whoever waits need not wait longer than the gateway has asked for. */
    hurry(): void;
    /** Whoever waits goes on, whatever there is to wait for. */
    end(): void;
    /**
     * Wait until it is time for an attempt.
     *
     * @param {Length} length
     * @returns {Promise<number>} How many seconds count towards giving up: none without a network, or while the page slept.
     */
    wait({ seconds, least, longest }: Length): Promise<number>;
}
