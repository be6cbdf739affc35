export type Clock = import("./clock.js").Clock;
/**
 * Asks a silent peer for a sign of life, and says when there was none.
 *
 * The word of a timer that was late (see `afterAwake`) counts for nothing: the peer
 * is asked once more.
 */
export declare class Heartbeat {
    #private;
    /**
     * @param {Clock} clock
     * @param {{interval: number, timeout: number, ask: () => void, dead: () => void}} options *interval*: seconds of silence
     *   until the peer is asked. *timeout*: seconds that it has to answer. *ask*: send a ping. *dead*: there was no answer.
     */
    constructor(clock: Clock, options: {
        interval: number;
        timeout: number;
        ask: () => void;
        dead: () => void;
    });
    /** Something came. */
    heard(): void;
    /** Ask now, and wait less long: something has happened that connections do not always survive. */
    probe(): void;
    stop(): void;
}
