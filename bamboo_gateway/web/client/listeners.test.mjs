import assert from "node:assert/strict";
import { test } from "node:test";
import { Listeners } from "./listeners.js";

/** @param {string} text */
const token = (text) => /** @type {const} */ ({ type: "agent_token", session_id: "s", token: text });

/**
 * What is reported while *action* runs.
 *
 * @param {() => void} action
 */
function reports(action) {
  /** @type {unknown[]} */
  const reported = [];
  const scope = /** @type {any} */ (globalThis);
  const before = scope.reportError;
  scope.reportError = (/** @type {unknown} */ error) => reported.push(error);
  try {
    action();
  } finally {
    scope.reportError = before;
  }
  return reported;
}

test("each handler is told of what it asked for, in the order in which they came, until it has enough", () => {
  const listeners = new Listeners();
  /** @type {string[]} */
  const heard = [];
  const off = listeners.add("agent_token", (event) => heard.push(`a ${event.token}`));
  listeners.add("agent_token", (event) => heard.push(`b ${event.token}`));
  listeners.add("pong", () => heard.push("pong"));
  listeners.emit("agent_token", token("1"));
  off();
  off();
  listeners.emit("agent_token", token("2"));
  assert.deepEqual(heard, ["a 1", "b 1", "b 2"]);
});

test("one function that is added twice is told twice, and each time ends by itself", () => {
  const listeners = new Listeners();
  let calls = 0;
  const handler = () => calls++;
  const off = listeners.add("pong", handler);
  listeners.add("pong", handler);
  off();
  listeners.emit("pong", { type: "pong", timestamp: 1 });
  assert.equal(calls, 1);
});

test("a handler that fails is reported, and takes nothing from the others", () => {
  const listeners = new Listeners();
  const failure = new Error("mine");
  let calls = 0;
  listeners.add("pong", () => {
    throw failure;
  });
  listeners.add("pong", () => calls++);
  assert.deepEqual(reports(() => listeners.emit("pong", { type: "pong", timestamp: 1 })), [failure]);
  assert.equal(calls, 1);
});

test("where a program has no place to report to, it is written to its console", (context) => {
  const write = context.mock.method(console, "error", () => {});
  const listeners = new Listeners();
  listeners.add("pong", () => {
    throw new Error("mine");
  });
  listeners.emit("pong", { type: "pong", timestamp: 1 });
  assert.equal(write.mock.callCount(), 1);
});

test("a handler that goes while an event is told is not told of it any more; one that comes is told of the next", () => {
  const listeners = new Listeners();
  let calls = 0;
  listeners.add("pong", () => {
    off();
    listeners.add("pong", () => calls++);
  });
  const off = listeners.add("pong", () => assert.fail("it was ended"));
  listeners.emit("pong", { type: "pong", timestamp: 1 });
  assert.equal(calls, 0);
  listeners.emit("pong", { type: "pong", timestamp: 1 });
  assert.equal(calls, 1);
});

test("after the end nobody is told of anything", () => {
  const listeners = new Listeners();
  listeners.add("pong", () => listeners.end());
  listeners.add("pong", () => assert.fail("it was the end"));
  listeners.emit("pong", { type: "pong", timestamp: 1 });
  listeners.emit("pong", { type: "pong", timestamp: 2 });
});

test("what is no function is refused when it is added, and not when something comes", () => {
  assert.throws(() => new Listeners().add("pong", /** @type {any} */ (null)), TypeError);
});

test("it is known whether anybody wants to know", () => {
  const listeners = new Listeners();
  assert.equal(listeners.has("frame"), false);
  const off = listeners.add("frame", () => {});
  assert.equal(listeners.has("frame"), true);
  off();
  assert.equal(listeners.has("frame"), false);
});
