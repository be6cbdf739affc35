// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Shelf } from "./shelf.js";
import { mapStorage } from "./map_storage.mjs";

test("texts and values are kept under a prefix", () => {
  const place = mapStorage();
  const shelf = new Shelf(() => place);
  shelf.set("a", "text");
  shelf.write("b", { c: 1 });
  assert.deepEqual([...place.items.keys()], ["bamboo.a", "bamboo.b"]);
  assert.equal(shelf.get("a"), "text");
  assert.deepEqual(shelf.read("b"), { c: 1 });
  shelf.write("b", null);
  assert.equal(shelf.read("b"), null);
});

test("where the browser forbids storage, the page's memory serves", () => {
  const shelf = new Shelf(() => {
    throw new Error("SecurityError");
  });
  shelf.set("a", "text");
  assert.equal(shelf.get("a"), "text");
  shelf.set("a", null);
  assert.equal(shelf.get("a"), null);
});

test("clearing takes all that is ours from storage and memory, and nothing else", () => {
  const place = mapStorage();
  place.setItem("other", "stays");
  const shelf = new Shelf(() => place);
  for (const name of ["token", "draft.s", "unsent.s"]) shelf.set(name, "text");
  shelf.clear();
  assert.deepEqual([...place.items.keys()], ["other"]);
  assert.equal(shelf.get("draft.s"), null);
  const forbidden = new Shelf(() => {
    throw new Error("SecurityError");
  });
  forbidden.set("a", "text");
  forbidden.clear();
  assert.equal(forbidden.get("a"), null);
});

test("what somebody else has put there does no harm", () => {
  const place = mapStorage();
  place.setItem("bamboo.x", "{broken");
  assert.equal(new Shelf(() => place).read("x"), null);
});
