export type Surroundings = {
    /**
     * As far as is known.
     */
    isOnline: () => boolean;
    /**
     * Tell of changes; what it
     * returns ends that. *shown*: the page was hidden, frozen or in the cache for "back", and no longer is.
     */
    watch: (change: (kind: "online" | "offline" | "shown") => void) => () => void;
};
/**
 * @typedef {object} Surroundings
 * @property {() => boolean} isOnline As far as is known.
 * @property {(change: (kind: "online" | "offline" | "shown") => void) => () => void} watch Tell of changes; what it
 *   returns ends that. *shown*: the page was hidden, frozen or in the cache for "back", and no longer is.
 */
/** @type {Surroundings} */
export declare const SURROUNDINGS: Surroundings;
/**
 * Is *url* on this machine, and so in reach whatever the network does?
 *
 * @param {string} url
 */
export declare function isLocal(url: string): boolean;
