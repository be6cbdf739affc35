import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settled } from "./doubles.test.mjs";
import { Pause } from "./pause.js";

/** One pause, and what became of it. */
function pausing({ seconds = 10, least = 0, longest = 30, isUp = true } = {}) {
  const clock = new FakeClock();
  const network = { isUp };
  const pause = new Pause(clock, () => !network.isUp);
  const began = clock.now();
  /** @type {{counted: number | null, after: number}} */
  const outcome = { counted: null, after: 0 };
  void pause.wait({ seconds, least, longest }).then((counted) => {
    outcome.counted = counted;
    outcome.after = clock.now() - began;
  });
  return { clock, network, pause, outcome };
}

test("it lasts as long as it was said to", async () => {
  const { clock, outcome } = pausing();
  await clock.pass(9.5);
  assert.equal(outcome.counted, null);
  await clock.pass(0.5);
  assert.deepEqual(outcome, { counted: 10, after: 10 });
});

test("good news cuts it short", async () => {
  const { clock, pause, outcome } = pausing();
  await clock.pass(3);
  pause.hurry();
  await settled();
  assert.deepEqual(outcome, { counted: 3, after: 3 });
});

test("but not what the gateway has asked for, which a person can", async () => {
  const news = pausing({ least: 6 });
  await news.clock.pass(3);
  news.pause.hurry();
  await news.clock.pass(2);
  assert.equal(news.outcome.counted, null);
  await news.clock.pass(1);
  assert.deepEqual(news.outcome, { counted: 6, after: 6 });

  const person = pausing({ least: 6 });
  person.pause.end();
  await settled();
  assert.deepEqual(person.outcome, { counted: 0, after: 0 });
});

test("without a network it goes on until there is one, and does not count", async () => {
  const { clock, network, pause, outcome } = pausing({ isUp: false });
  await clock.pass(25);
  assert.equal(outcome.counted, null);
  network.isUp = true;
  pause.hurry();
  await settled();
  assert.deepEqual(outcome, { counted: 0, after: 25 });
});

test("a browser that is wrong about the network is not believed for ever", async () => {
  const { clock, outcome } = pausing({ isUp: false });
  await clock.pass(40);
  assert.deepEqual(outcome, { counted: 0, after: 40 });
});

test("seconds in which the page slept do not count", async () => {
  const { clock, outcome } = pausing();
  await clock.freeze(7200);
  assert.deepEqual(outcome, { counted: 10, after: 7200 });
});

test("once it is over there is nothing to cut short", async () => {
  const { clock, pause, outcome } = pausing();
  await clock.pass(10);
  pause.hurry();
  pause.end();
  await settled();
  assert.deepEqual(outcome, { counted: 10, after: 10 });
});
