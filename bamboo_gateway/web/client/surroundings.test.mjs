import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { isLocal, SURROUNDINGS } from "./surroundings.js";

/** @type {Array<() => void>} */
const mended = [];
afterEach(() => {
  for (const mend of mended.splice(0)) mend();
});

/**
 * Give the global scope something that a browser has.
 *
 * @param {string} name
 * @param {unknown} value
 */
function pretend(name, value) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  mended.push(() => {
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  });
}

/** A window and a document, as far as is needed. */
function browsing() {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  pretend("addEventListener", page.addEventListener.bind(page));
  pretend("document", document);
  /** @type {string[]} */
  const told = [];
  const end = SURROUNDINGS.watch((change) => told.push(change));
  return { page, document, told, end };
}

test("a page tells of its network", () => {
  const { page, told } = browsing();
  page.dispatchEvent(new Event("offline"));
  page.dispatchEvent(new Event("online"));
  assert.deepEqual(told, ["offline", "online"]);
});

test("it tells when it is shown: to the eye, out of the cache, or after it was frozen; but not when it is hidden or new", () => {
  const { page, document, told } = browsing();
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
  assert.deepEqual(told, []);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  document.dispatchEvent(new Event("resume"));
  assert.deepEqual(told, ["shown", "shown", "shown"]);
});

test("nobody is told after the end", () => {
  const { page, document, told, end } = browsing();
  end();
  page.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(told, []);
});

test("a worker has a network and no document; a program has neither", () => {
  const page = new EventTarget();
  pretend("addEventListener", page.addEventListener.bind(page));
  /** @type {string[]} */
  const told = [];
  SURROUNDINGS.watch((change) => told.push(change));
  page.dispatchEvent(new Event("online"));
  assert.deepEqual(told, ["online"]);
  pretend("addEventListener", undefined);
  SURROUNDINGS.watch(assert.fail)();
});

test("who does not know whether there is a network has one", () => {
  for (const [navigator, expected] of [[{ onLine: false }, false], [{ onLine: true }, true], [{}, true], [undefined, true]]) {
    pretend("navigator", navigator);
    assert.equal(SURROUNDINGS.isOnline(), expected);
  }
});

test("what is on this machine is told by its name", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "gateway.localhost"]) assert(isLocal(`ws://${host}:1/x`), host);
  for (const host of ["localhost.test", "128.0.0.1", "10.0.0.1", "127.0.0.1.test", "[::2]"]) assert(!isLocal(`ws://${host}`), host);
});
