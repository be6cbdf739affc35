import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode, requireName, requireText, sizeOf } from "./encoding.js";
import { MAX_NESTING } from "./protocol.js";

test("what JSON can hold is said as it is, nulls as well", () => {
  const law = fc.property(fc.jsonValue(), (value) => {
    fc.pre(!/\d{19}/.test(JSON.stringify(value))); // no integers that are too large
    const message = { type: "command", args: value };
    assert.deepEqual(JSON.parse(encode(message)), JSON.parse(JSON.stringify(message)));
  });
  fc.assert(law);
  assert.equal(encode({ args: { a: null, b: [null] } }), '{"args":{"a":null,"b":[null]}}');
});

const CANNOT = {
  "a number that JSON would make null": [NaN, Infinity, -Infinity],
  "an integer beyond 64 bits": [2 ** 63, 1e20, -(2 ** 63)],
  "what JSON would leave out or fail at": [10n, () => 1, Symbol("x")],
  "half of a surrogate pair": ["\ud800", "a\udc00b", "\udc00\ud800"],
};

for (const [name, values] of Object.entries(CANNOT)) {
  test(`${name} is the caller's error, at whatever depth`, () => {
    for (const value of values) {
      assert.throws(() => encode({ args: value }), TypeError);
      assert.throws(() => encode({ args: { deep: [{ er: value }] } }), TypeError);
    }
  });
}

test("a key is text like any other", () => {
  assert.throws(() => encode({ args: { "\ud800": 1 } }), { message: /half of a surrogate pair/ });
});

test("whole pairs, large numbers and the ends of the range are fine", () => {
  for (const value of ["👋", 1e21, 1.5e300, -(2 ** 62), 2 ** 62, -0.5]) assert.equal(JSON.parse(encode({ value })).value, value);
});

test("a message is nested so deeply and no deeper", () => {
  /** @param {number} levels */
  const nested = (levels) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  encode({ args: nested(MAX_NESTING - 1) });
  assert.throws(() => encode({ args: nested(MAX_NESTING) }), { name: "TypeError", message: /at most 64 levels/ });
});

test("a text is a string, and a name one of 1 to 256 characters", () => {
  requireText("content", "");
  for (const value of [undefined, null, 5, {}]) assert.throws(() => requireText("content", value), TypeError);
  for (const value of ["a", "👋".repeat(256)]) requireName("id", value);
  for (const value of ["", "a".repeat(257), null]) assert.throws(() => requireName("id", value), TypeError);
});

test("a circle is the caller's error", () => {
  const circle = {};
  Object.assign(circle, { circle });
  assert.throws(() => encode({ args: circle }), TypeError);
});

test("size is counted in bytes", () => {
  assert.deepEqual(["", "a", "é", "👋"].map(sizeOf), [0, 1, 2, 4]);
});
