// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { extended, ordered, refreshed, sharedWith } from "./session_list.js";

const session = (id, created_at) => ({ session_id: id, created_at });
const ids = (sessions) => sessions.map((each) => each.session_id).join("");

test("the newest page, read anew, replaces what it shows; older pages stay", () => {
  const shown = [session("c", 3), session("b", 2), session("a", 1)];
  assert.equal(ids(refreshed(shown, { sessions: [session("d", 4), session("c", 3)], next: 3 }, 2)), "dcba");
});

test("who was deleted from the newest page is gone", () => {
  const shown = [session("d", 4), session("c", 3), session("b", 2), session("a", 1)];
  assert.equal(ids(refreshed(shown, { sessions: [session("d", 4), session("b", 2)], next: 2 }, 2)), "dba");
});

test("with one page, or where there is no older one, the page is all", () => {
  assert.equal(ids(refreshed([session("z", 0)], { sessions: [session("a", 1)], next: 1 }, 1)), "a");
  assert.equal(ids(refreshed([session("z", 0)], { sessions: [session("a", 1)], next: null }, 3)), "a");
});

test("an older page goes behind, each session once", () => {
  assert.equal(
    ids(extended([session("c", 3), session("b", 2)], { sessions: [session("b", 2), session("a", 1)], next: null })),
    "cba",
  );
});

test("those that run come first and keep their places, the others by when they were used", () => {
  const used = (id, state, last_activity) => ({ session_id: id, state, last_activity });
  const sessions = [used("d", "idle", 2), used("c", "running", 1), used("b", "idle", 5), used("a", "running", 9)];
  assert.equal(ids(ordered(sessions)), "cabd");
});

test("with whom a session is shared", () => {
  assert.equal(sharedWith({ access: "own", shares: {} }), "");
  assert.equal(sharedWith({ access: "own", shares: { ann: "read", bob: "chat" } }), "shared with ann and bob");
  assert.equal(
    sharedWith({ access: "own", shares: { ann: "read", bob: "chat", eve: "read" } }),
    "shared with ann and 2 others",
  );
  assert.equal(sharedWith({ access: "chat", shares: null }), "shared with you");
  assert.equal(sharedWith({ access: "read", shares: null }), "shared with you to read");
});
