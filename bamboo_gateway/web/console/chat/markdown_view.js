// Markdown as vnodes. No text of an answer is ever read as HTML, and nothing in it makes the browser fetch anything.
import { html } from "../html.js";
import { useRef } from "../../vendor/preact/hooks.js";
import { CodeBlock } from "./code_block.js";
import { decodedEntities, MarkdownReader, safeAddress } from "./markdown.js";

/** @typedef {any} Token */

/** Token → what was drawn of it: a block that is closed keeps its vnode, which Preact then skips. @type {WeakMap<object, any>} */
const drawn = new WeakMap();

/** @param {{text: string}} props */
export function Markdown({ text }) {
  const reader = useRef(/** @type {MarkdownReader | null} */ (null));
  reader.current ??= new MarkdownReader();
  return html`<div class="markdown">${reader.current.read(text).map(drawnOnce)}</div>`;
}

/** @param {object} token */
function drawnOnce(token) {
  let vnode = drawn.get(token);
  if (vnode === undefined) {
    vnode = block(token);
    drawn.set(token, vnode);
  }
  return vnode;
}

/** @param {Token} token @returns {any} */
export function block(token) {
  return BLOCKS[token.type]?.(token) ?? (token.type in BLOCKS ? null : html`<p>${inlines([token])}</p>`);
}

/** Headings of an answer stand below those of the page: the view's and the message's. */
const FIRST_LEVEL = 3;

/** @type {Record<string, (token: Token) => any>} */
const BLOCKS = {
  space: () => null,
  def: () => null,
  hr: () => html`<hr />`,
  heading: (token) =>
    html`<${`h${Math.min(6, token.depth + FIRST_LEVEL - 1)}`} class=${`depth-${token.depth}`}>${inlines(token.tokens)}</>`,
  paragraph: (token) => html`<p>${inlines(token.tokens)}</p>`,
  text: (token) => html`<span>${token.tokens ? inlines(token.tokens) : decodedEntities(token.text)}</span>`,
  plain: (token) => html`<p class="plain">${token.text}</p>`,
  html: (token) => html`<p class="plain">${token.raw.trimEnd()}</p>`,
  blockquote: (token) => html`<blockquote>${token.tokens.map(block)}</blockquote>`,
  code: (token) => html`<${CodeBlock} text=${token.text} language=${token.lang ?? ""} />`,
  list: (token) => list(token),
  table: (token) => table(token),
};

/** @param {Token} token */
function list(token) {
  const items = token.items.map(
    (/** @type {Token} */ item) => html`<li class=${item.task ? "task" : null}>
      ${item.task && html`<input type="checkbox" disabled checked=${item.checked}
      aria-label=${item.checked ? "done" : "to do"} />`}
      ${item.tokens.filter((/** @type {Token} */ each) => each.type !== "checkbox").map(block)}</li>`,
  );
  return token.ordered ? html`<ol start=${token.start || 1}>${items}</ol>` : html`<ul>${items}</ul>`;
}

/** @param {Token} token */
function table(token) {
  const row = (/** @type {Token[]} */ cells, /** @type {string} */ tag) =>
    html`<tr>${cells.map((cell, index) => html`<${tag} class=${token.align[index] ? `align-${token.align[index]}` : null}
      scope=${tag === "th" ? "col" : undefined}>${inlines(cell.tokens)}</>`)}</tr>`;
  return html`<div class="table-scroll" tabindex="0" role="group" aria-label="Table"><table><thead>
    ${row(token.header, "th")}</thead>
    <tbody>${token.rows.map((/** @type {Token[]} */ cells) => row(cells, "td"))}</tbody></table></div>`;
}

/** @param {readonly Token[]} tokens @returns {any[]} */
function inlines(tokens) {
  return tokens.map((token) => INLINES[token.type]?.(token) ?? decodedEntities(token.raw));
}

/** @type {Record<string, (token: Token) => any>} */
const INLINES = {
  text: (token) => (token.tokens ? inlines(token.tokens) : decodedEntities(token.text)),
  escape: (token) => token.text,
  strong: (token) => html`<strong>${inlines(token.tokens)}</strong>`,
  em: (token) => html`<em>${inlines(token.tokens)}</em>`,
  del: (token) => html`<del>${inlines(token.tokens)}</del>`,
  codespan: (token) => html`<code>${token.text}</code>`,
  br: () => html`<br />`,
  html: (token) => token.raw,
  link: (token) => link(token.href, inlines(token.tokens)),
  image: (token) => link(token.href, `Image: ${token.text || token.href}`),
};

/** @param {string} href @param {any} content */
function link(href, content) {
  const address = safeAddress(href);
  if (address === null) return html`<span class="dead-link" title=${`Not followed: ${href}`}>${content}</span>`;
  return html`<a href=${address} title=${address} target="_blank" rel="noopener noreferrer">${content}</a>`;
}
