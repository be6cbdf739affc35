/**
 * @param {object} message
 * @returns {string}
 * @throws {TypeError} It holds what JSON or the protocol has no words for.
 */
export declare function encode(message: object): string;
/**
 * Check what is to be the text of a chat.
 *
 * @param {string} name What it is called.
 * @param {unknown} value
 * @throws {TypeError} It is no text.
 */
export declare function requireText(name: string, value: unknown): void;
/**
 * Check what is to be a name or an id.
 *
 * @param {string} name What it is called.
 * @param {unknown} value
 * @throws {TypeError} It is none.
 */
export declare function requireName(name: string, value: unknown): void;
/**
 * The bytes that *text* has on the wire.
 *
 * @param {string} text
 */
export declare function sizeOf(text: string): number;
