// Markdown that grows: what was read once is not read again.
//
// Only the last blocks of a text can still change when more is appended, so all others keep their tokens, and
// whoever draws them can keep what was drawn.
import { Lexer, Tokenizer } from "../../vendor/marked/marked.js";

/** @typedef {import("../../vendor/marked/marked.js").Token | {type: "plain", raw: string, text: string}} Block */

/** Characters of one line, above which it is shown as it is: no prose has such lines, and to read them takes long. */
const MAX_LINE = 16_000;

/** Top-level tokens that may still change; the space between two blocks is a token, too. */
const OPEN_BLOCKS = 2;

/** Quotes, lists and emphasis one in another, below which they are text: nobody reads such, and each takes stack. */
export const MAX_DEPTH = 24;

/** Reads what nests only so far down. A method of `marked` that finds nothing leaves the text to the plainer ones. */
class ShallowTokenizer extends Tokenizer {
  depth = 0;

  /** @template T @param {() => T} read @returns {T | undefined} */
  within(read) {
    if (this.depth >= MAX_DEPTH) return undefined;
    this.depth += 1;
    try {
      return read();
    } finally {
      this.depth -= 1;
    }
  }

  /** @param {string} src @override */
  blockquote(src) {
    return this.within(() => super.blockquote(src));
  }

  /** @param {string} src @override */
  list(src) {
    return this.within(() => super.list(src));
  }

  /** @param {string} src @override */
  link(src) {
    return this.within(() => super.link(src));
  }

  /** @param {string} src @param {any} links @override */
  reflink(src, links) {
    return this.within(() => super.reflink(src, links));
  }

  /** @param {string} src @param {string} maskedSrc @param {string} [prevChar] @override */
  emStrong(src, maskedSrc, prevChar) {
    return this.within(() => super.emStrong(src, maskedSrc, prevChar));
  }

  /** @param {string} src @param {string} maskedSrc @param {string} [prevChar] @override */
  del(src, maskedSrc, prevChar) {
    return this.within(() => super.del(src, maskedSrc, prevChar));
  }
}

/** Reads one growing text. Invariant: the `raw` of `closed` join to the beginning of the text. */
export class MarkdownReader {
  constructor() {
    /** @type {Block[]} */
    this.closed = [];
    this.closedLength = 0;
    this.text = "";
    /** Definitions of links, which hold for all that follows. @type {Record<string, any>} */
    this.links = {};
  }

  /**
   * Read *text*: the same as before with more behind it, or else another one.
   *
   * @param {string} text @returns {readonly Block[]} Those that were closed before are the same objects.
   */
  read(text) {
    if (!text.startsWith(this.text)) this.forget();
    this.text = text;
    this.closeLongLines();
    const tail = this.lex(text.slice(this.closedLength));
    const open = tail.splice(Math.max(0, tail.length - OPEN_BLOCKS));
    this.closed.push(...tail);
    this.closedLength += lengthOf(tail);
    return [...this.closed, ...open];
  }

  forget() {
    this.closed = [];
    this.closedLength = 0;
    this.links = {};
  }

  /** Take pieces off the front of the tail for as long as its first line is too long. */
  closeLongLines() {
    for (;;) {
      const line = this.text.slice(this.closedLength, this.closedLength + MAX_LINE);
      if (line.length < MAX_LINE || line.includes("\n")) return;
      const end = line.lastIndexOf(" ") + 1 || MAX_LINE;
      this.closed.push({ type: "plain", raw: line.slice(0, end), text: line.slice(0, end) });
      this.closedLength += end;
    }
  }

  /** @param {string} text @returns {Block[]} */
  lex(text) {
    if (!text) return [];
    try {
      return this.lexed(text);
    } catch {
      return [{ type: "plain", raw: text, text }]; // whatever it was that `marked` could not read, people can
    }
  }

  /** @param {string} text @returns {Block[]} */
  lexed(text) {
    const lexer = new Lexer({ gfm: true, breaks: true, tokenizer: new ShallowTokenizer() });
    Object.assign(lexer.tokens.links, this.links);
    const tokens = lexer.lex(text);
    Object.assign(this.links, tokens.links);
    // What a lexer makes of line ends and the like must not shift what comes behind.
    return lengthOf(tokens) === text.length ? [...tokens] : [{ type: "plain", raw: text, text }];
  }
}

/** @param {readonly Block[]} blocks @returns {number} */
function lengthOf(blocks) {
  return blocks.reduce((length, block) => length + block.raw.length, 0);
}

/** Protocols that a link may have; all others are text. */
const SAFE = new Set(["http:", "https:", "mailto:"]);

/** The address of a link that is safe to follow; null: it is none. @param {string} href @returns {string | null} */
export function safeAddress(href) {
  try {
    const address = new URL(href);
    return SAFE.has(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}

/** A map: an object would know `constructor`, too. */
const ENTITIES = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00a0"],
  ["hellip", "…"],
  ["mdash", "—"],
  ["ndash", "–"],
  ["copy", "©"],
  ["rarr", "→"],
  ["larr", "←"],
  ["times", "×"],
]);

/** What `&amp;` and the like stand for; unknown ones stay as they are. @param {string} text @returns {string} */
export function decodedEntities(text) {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name) return ENTITIES.get(name) ?? whole;
    const point = decimal ? Number(decimal) : parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
