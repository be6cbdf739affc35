// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientSlot } from "./client_slot.js";

class FakeClient {
  isClosed = false;
  async close() {
    this.isClosed = true;
  }
}

test("another client takes the place of the one before, which is closed", async () => {
  const slot = new ClientSlot();
  const [one, two] = [new FakeClient(), new FakeClient()];
  assert.equal(await slot.open(async () => one), one);
  assert.equal(await slot.open(async () => two), two);
  assert.deepEqual([one.isClosed, two.isClosed, slot.client === two], [true, false, true]);
  slot.close();
  assert.deepEqual([two.isClosed, slot.client], [true, null]);
});

test("who is given up while being opened is closed when there, and who is asked for twice is held once", async () => {
  const slot = new ClientSlot();
  const [one, two] = [new FakeClient(), new FakeClient()];
  const first = deferred();
  const opening = slot.open(() => first.promise);
  assert.equal(await slot.open(async () => two), two);
  first.resolve(one);
  assert.equal(await opening, null);
  assert.deepEqual([one.isClosed, two.isClosed, slot.client === two], [true, false, true]);
});

test("what goes wrong is told, unless nobody waits for it any more", async () => {
  const slot = new ClientSlot();
  await assert.rejects(
    slot.open(async () => {
      throw new Error("away");
    }),
    /away/,
  );
  const late = deferred();
  const opening = slot.open(() => late.promise);
  slot.close();
  late.reject(new Error("away"));
  assert.equal(await opening, null);
});

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
