// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodedEntities, MarkdownReader, MAX_DEPTH, safeAddress } from "./markdown.js";

const TEXT =
  "# Title\n\nA paragraph with **bold**.\n\n- one\n- two\n  - deep\n\nmore text\n\n```js\nlet a = 1;\n\nlet b = 2;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nlast [link][x]\n\n[x]: https://example.org\n";

/** What matters of a token. */
const shape = (blocks) =>
  blocks
    .filter((block) => block.type !== "space" && block.type !== "def")
    .map((block) => [block.type, block.raw.trimEnd()]);

test("a text that comes in pieces of any size reads as it does at once", () => {
  const whole = shape(new MarkdownReader().read(TEXT));
  for (const size of [1, 2, 7, 50]) {
    const reader = new MarkdownReader();
    let blocks = [];
    for (let end = size; end < TEXT.length + size; end += size) blocks = reader.read(TEXT.slice(0, end));
    assert.deepEqual(shape(blocks), whole, `pieces of ${size}`);
  }
});

test("blocks that are closed stay the same objects", () => {
  const reader = new MarkdownReader();
  const before = reader.read(`${TEXT}\n\nnew paragraph\n\nanother`);
  const after = reader.read(`${TEXT}\n\nnew paragraph\n\nanother one\n\nand one more`);
  assert.equal(after[0], before[0]);
  assert.equal(after[6], before[6]);
});

test("the raw of all blocks is the text, so nothing of an answer is dropped", () => {
  for (const text of [
    TEXT,
    "a\r\nb\r\n\r\nc",
    "\tcode\n\ttabs",
    "\n\n\nlate",
    "<b>x</b> & <script>1</script>",
    "\u2424\u00a0",
  ]) {
    assert.equal(
      new MarkdownReader()
        .read(text)
        .map((block) => block.raw)
        .join(""),
      text,
    );
  }
});

test("another text is read anew", () => {
  const reader = new MarkdownReader();
  reader.read("one\n\ntwo\n\nthree");
  assert.deepEqual(shape(reader.read("other")), [["paragraph", "other"]]);
});

test("a line that no prose has is shown as it is, in pieces", () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `${index} `).join("");
  const reader = new MarkdownReader();
  const blocks = reader.read(text);
  assert.equal(blocks.map((block) => block.raw).join(""), text);
  assert.equal(blocks[0].type, "plain");
  assert.ok(blocks.length < 20);
});

test("what grows to 100 KB costs little for each piece", () => {
  const reader = new MarkdownReader();
  const paragraph = "Some **words** and `code` in a paragraph of usual length, with a [link](https://example.org).\n\n";
  let text = "";
  const begin = performance.now();
  while (text.length < 100_000) {
    text += paragraph;
    reader.read(text);
  }
  const each = (performance.now() - begin) / (text.length / paragraph.length);
  assert.ok(each < 5, `${each.toFixed(2)} ms a piece`);
});

/** How deep tokens stand one in another. */
const depthOf = (tokens) =>
  tokens.reduce(
    (deepest, token) => Math.max(deepest, 1 + depthOf(token.tokens ?? []), 1 + depthOf(token.items ?? [])),
    0,
  );

test("what nests without end is read so far down and no farther, and none of it is dropped", () => {
  for (const text of [
    ">".repeat(4000),
    `${">".repeat(4000)} deep\n\nand after it`,
    "> ".repeat(4000),
    "- ".repeat(4000) + "x",
    "1. ".repeat(2000) + "x",
    "> - ".repeat(2000) + "x",
    "*_".repeat(2000) + "x" + "_*".repeat(2000),
    "*a **b ".repeat(600) + "x" + "** *".repeat(600),
    "~~a *b ".repeat(600) + "x" + "* ~~".repeat(600),
    "[".repeat(3000) + "x" + "](https://example.org)".repeat(500),
    "![".repeat(3000) + "x" + "](https://example.org)".repeat(500),
    Array.from({ length: 60 }, (_, index) => `${"  ".repeat(index)}- ${index}`).join("\n"),
  ]) {
    const blocks = new MarkdownReader().read(text);
    assert.equal(blocks.map((block) => block.raw).join(""), text);
    const deepest = depthOf(blocks);
    assert.ok(deepest <= 3 * MAX_DEPTH, `${text.slice(0, 20)}: ${deepest}`);
  }
});

test("what cannot be read as Markdown is text", () => {
  const reader = new MarkdownReader();
  reader.lexed = () => {
    throw new RangeError("Maximum call stack size exceeded");
  };
  assert.deepEqual(reader.read("*a*"), [{ type: "plain", raw: "*a*", text: "*a*" }]);
});

test("only links that lead out by web or mail are followed", () => {
  assert.equal(safeAddress("https://example.org/a?b#c"), "https://example.org/a?b#c");
  assert.equal(safeAddress("mailto:a@example.org"), "mailto:a@example.org");
  for (const href of [
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    " java\nscript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "/relative",
    "#hash",
    "",
    "blob:https://x/1",
    "vbscript:x",
  ]) {
    assert.equal(safeAddress(href), null, href);
  }
});

test("entities stand for their characters, and unknown ones for themselves", () => {
  assert.equal(decodedEntities("a &amp; b &lt;i&gt; &#65;&#x1F38B; &nope; &#0; &"), "a & b <i> A🎋 &nope; &#0; &");
  for (const text of ["&constructor;", "&toString;", "&hasOwnProperty;"]) assert.equal(decodedEntities(text), text);
});

test("a line that ends, ends: answers are written as people write in a chat", () => {
  const [block] = new MarkdownReader().read("/help lists these commands\n/tool calls a tool");
  assert.deepEqual(
    block.tokens.map(({ type }) => type),
    ["text", "br", "text"],
  );
});
