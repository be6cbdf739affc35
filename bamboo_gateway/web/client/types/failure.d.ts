import { ConnectError } from "./errors.js";
/**
 * Say what may be wrong with *url*: where something answers HTTP there, it is not the network.
 *
 * @param {string} url
 * @param {string | undefined} origin The page's.
 * @returns {Promise<ConnectError>}
 */
export declare function explain(url: string, origin: string | undefined): Promise<ConnectError>;
