/**
 * @param {object} message
 * @returns {string}
 * @throws {TypeError} It holds what JSON or the protocol has no words for.
 */
export declare function encode(message: object): string;
/**
 * The bytes that *text* has on the wire.
 *
 * @param {string} text
 */
export declare function sizeOf(text: string): number;
