import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Reconnect } from "./reconnect.js";

const seconds = fc.double({ min: 0.001, max: 1e6, noNaN: true });
const policies = fc.record({ firstInterval: seconds, maxInterval: seconds }).map((options) => new Reconnect(options));
const attempts = fc.nat(10_000);
const chances = fc.double({ min: 0, max: 1, noNaN: true });

/**
 * @param {number} one
 * @param {number} other
 */
const isClose = (one, other) => Math.abs(one - other) <= 1e-6 * Math.max(1, Math.abs(one));

test("a pause is a random part of an interval that doubles: the first as every other, and never more than the bound", () => {
  const law = fc.property(policies, attempts, chances, (policy, attempt, chance) => {
    const longest = Math.min(policy.maxInterval, policy.firstInterval * 2 ** Math.min(attempt, 60));
    assert(isClose(policy.pause(attempt, chance), chance * longest));
    assert.equal(policy.pause(attempt, 0), 0);
    assert(policy.pause(attempt, 1) <= policy.maxInterval);
  });
  fc.assert(law);
});

test("what the gateway asks for is the least, and the same for nobody", () => {
  const law = fc.property(policies, attempts, chances, seconds, (policy, attempt, chance, retryAfter) => {
    const pause = policy.pause(attempt, chance, retryAfter);
    assert(pause >= retryAfter);
    assert(isClose(pause - retryAfter, policy.pause(attempt, chance)));
  });
  fc.assert(law);
});

test("the gateway knows over how long all shall spread, at the first attempt", () => {
  const law = fc.property(policies, chances, seconds, seconds, (policy, chance, retryAfter, jitter) => {
    assert.equal(policy.pause(0, chance, retryAfter, jitter), retryAfter + chance * jitter);
    assert.equal(policy.pause(0, chance, null, -jitter), 0);
    assert.equal(policy.pause(1, chance, retryAfter, jitter), policy.pause(1, chance, retryAfter));
  });
  fc.assert(law);
});

test("a gateway that asks for nothing, or talks nonsense, shortens no pause", () => {
  for (const retryAfter of [null, 0, -5]) {
    assert.equal(new Reconnect({ firstInterval: 4 }).pause(0, 0.5, retryAfter), 2);
  }
});

test("the defaults are what the documents say", () => {
  const policy = new Reconnect();
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((attempt) => policy.pause(attempt, 1)), [1, 2, 4, 8, 16, 30, 30]);
  assert.equal(policy.giveUpTimeout, 300);
  assert.equal(new Reconnect({ giveUpTimeout: null }).giveUpTimeout, Infinity);
});

test("a policy that would not pause is none", () => {
  for (const name of ["firstInterval", "maxInterval", "giveUpTimeout"]) {
    for (const value of [0, -1, NaN]) {
      assert.throws(() => new Reconnect({ [name]: value }), { name: "RangeError", message: new RegExp(`${name} must be > 0`) });
    }
  }
});
