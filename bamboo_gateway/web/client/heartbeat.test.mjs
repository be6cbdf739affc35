import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./doubles.test.mjs";
import { Heartbeat } from "./heartbeat.js";

/** A heartbeat of 20 seconds, whose peer has 10 to answer. */
function beating() {
  const clock = new FakeClock();
  /** @type {number[]} */
  const asked = [];
  /** @type {number[]} */
  const dead = [];
  const began = clock.now();
  const heartbeat = new Heartbeat(clock, {
    interval: 20,
    timeout: 10,
    ask: () => asked.push(clock.now() - began),
    dead: () => dead.push(clock.now() - began),
  });
  return { clock, heartbeat, asked, dead };
}

test("a peer that says nothing is asked, and counts as dead once it has not answered", async () => {
  const { clock, asked, dead } = beating();
  await clock.pass(29);
  assert.deepEqual([asked, dead], [[20], []]);
  await clock.pass(1);
  assert.deepEqual(dead, [30]);
});

test("whatever it says is a sign of life, and silence is counted from there", async () => {
  const { clock, heartbeat, asked, dead } = beating();
  await clock.pass(15);
  heartbeat.heard();
  await clock.pass(19);
  assert.deepEqual(asked, []);
  await clock.pass(2);
  assert.deepEqual(asked, [35]);
  heartbeat.heard();
  await clock.pass(18);
  assert.deepEqual([asked, dead], [[35], []]);
});

test("a late timer is no proof: who was frozen asks once more, and waits for that answer", async () => {
  const { clock, heartbeat, asked, dead } = beating();
  await clock.pass(20);
  await clock.freeze(3600);
  assert.deepEqual([asked, dead], [[20, 3620], []]);
  await clock.pass(9);
  heartbeat.heard();
  await clock.pass(10);
  assert.deepEqual(dead, []);
});

test("a dead peer is found by a page whose timers are always late, too", async () => {
  const { clock, asked, dead } = beating();
  await clock.freeze(60);
  await clock.freeze(60);
  assert.deepEqual([asked, dead], [[60, 120], []]);
  await clock.freeze(60);
  assert.deepEqual(dead, [180]);
});

test("where there is reason to doubt the peer is asked at once, and has less time", async () => {
  const { clock, heartbeat, asked, dead } = beating();
  await clock.pass(3);
  heartbeat.probe();
  await clock.pass(4);
  heartbeat.heard();
  await clock.pass(2);
  heartbeat.probe();
  await clock.pass(5);
  assert.deepEqual([asked, dead], [[3, 9], [14]]);
});

test("doubt upon doubt gives a silent peer no more time", async () => {
  const { clock, heartbeat, dead } = beating();
  for (let second = 0; second < 8; second++) {
    heartbeat.probe();
    await clock.pass(1);
  }
  assert.deepEqual(dead, [5]);
});

test("stopped, it neither asks nor judges", async () => {
  const { clock, heartbeat, asked, dead } = beating();
  heartbeat.stop();
  await clock.pass(100);
  assert.deepEqual([asked, dead, clock.timers.size], [[], [], 0]);
});
