import assert from "node:assert/strict";
import { test } from "node:test";
import { afterAwake, CLOCK } from "./clock.js";
import { FakeClock } from "./doubles.test.mjs";

test("what waits for seconds in which the page was awake waits anew where the page was frozen", async () => {
  const clock = new FakeClock();
  let acted = 0;
  afterAwake(clock, 10, () => acted++);
  await clock.freeze(3600);
  assert.equal(acted, 0);
  await clock.pass(9);
  assert.equal(acted, 0);
  await clock.pass(1);
  assert.equal(acted, 1);
});

test("a page that is late again and again does not wait for ever", async () => {
  const clock = new FakeClock();
  let acted = 0;
  afterAwake(clock, 10, () => acted++);
  await clock.freeze(60);
  await clock.freeze(60);
  assert.equal(acted, 1);
});

test("called off, it does not act: before its time, nor while it waits anew", async () => {
  const clock = new FakeClock();
  afterAwake(clock, 10, assert.fail)();
  const callOff = afterAwake(clock, 10, assert.fail);
  await clock.freeze(60);
  callOff();
  await clock.pass(100);
  assert.equal(clock.timers.size, 0);
});

test("the next task is after all that this one has set off, and before the timers of a page that sleeps", async () => {
  /** @type {string[]} */
  const order = [];
  await new Promise((resolve) => {
    CLOCK.inNextTask(() => resolve(order.push("task")));
    let chain = Promise.resolve();
    for (let step = 0; step < 50; step++) chain = chain.then(() => void (step === 49 && order.push("promises")));
  });
  assert.deepEqual(order, ["promises", "task"]);
});

test("time does not go back, and a timer can be called off", async () => {
  const before = CLOCK.now();
  const callOff = CLOCK.after(0, assert.fail);
  callOff();
  await new Promise((resolve) => CLOCK.after(0.005, () => resolve(null)));
  assert(CLOCK.now() >= before + 0.004);
});

test("a timer may be as far off as one likes", () => {
  CLOCK.after(Infinity, assert.fail)();
  CLOCK.after(1e9, assert.fail)();
});
