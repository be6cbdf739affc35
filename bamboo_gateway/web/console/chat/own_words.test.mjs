// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Shelf } from "../shell/shelf.js";
import { OwnWords } from "./own_words.js";
import { mapStorage } from "../shell/map_storage.mjs";

/** A shelf that outlives the page. */
function shelf() {
  const storage = mapStorage();
  return new Shelf(() => storage);
}

test("what was not taken, the draft and one's own turns outlive a reload, each session's for itself", () => {
  const place = shelf();
  const before = new OwnWords(place, "s");
  before.unsent = [{ id: "c1", content: "hello" }];
  before.draft = "half a sen";
  before.claim("r1");
  const after = new OwnWords(place, "s");
  assert.deepEqual(
    [after.unsent, after.draft, after.isOwn("r1"), after.isOwn("r2"), after.isOwn(null)],
    [[{ id: "c1", content: "hello" }], "half a sen", true, false, false],
  );
  const other = new OwnWords(place, "t");
  assert.deepEqual([other.unsent, other.draft, other.isOwn("r1")], [[], "", false]);
});

test("where one had read to is told once", () => {
  const words = new OwnWords(shelf(), "s");
  words.keepSeen(7, "e", true);
  assert.deepEqual(words.takeSeen(), { seq: 7, epoch: "e", isRunning: true });
  assert.equal(words.takeSeen(), null);
});

test("once the shelf was cleared, nothing more is put there", () => {
  const place = shelf();
  const words = new OwnWords(place, "s");
  words.draft = "half a sentence";
  place.clear();
  words.unsent = [{ id: "1", content: "too late" }];
  words.draft = "too late";
  words.keepSeen(7, "e", true);
  words.claim("run");
  const next = new OwnWords(place, "s");
  assert.deepEqual([next.unsent, next.draft, next.takeSeen(), next.isOwn("run")], [[], "", null, false]);
});
