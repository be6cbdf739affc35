// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, parseRoute, VIEWS } from "./route.js";

test("every view, with and without an id, finds its way there and back", () => {
  for (const view of VIEWS) {
    for (const id of [null, "7d1f", "a/b c", "100%", "ünï/#?"])
      assert.deepEqual(parseRoute(hashOf(view, id)), { view, id });
  }
});

test("what is unknown leads to the sessions; what cannot be decoded is taken as it is", () => {
  for (const hash of ["", "#", "#/", "#/nonsense/x", "#token=secret", "#/constructor"])
    assert.deepEqual(parseRoute(hash), { view: "sessions", id: null });
  assert.deepEqual(parseRoute("#/chat/%E0%A4%A"), { view: "chat", id: "%E0%A4%A" });
});
