import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "./doubles.test.mjs";
import { BusyError, ClosedError, NoReplyError, RefusedError } from "./errors.js";
import { Requests } from "./requests.js";

/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */

/** @param {string} id */
const chat = (id) => ({ type: /** @type {const} */ ("chat"), content: "hello", session_id: "s", id });
/** @param {string} id */
const command = (id) => ({ type: /** @type {const} */ ("command"), name: "ping", args: null, id });
/** @param {string} id */
const accepted = (id) => /** @type {const} */ ({ type: "chat_accepted", session_id: "s", run_id: "run", queued: 0, id });
/** @param {string} id */
const result = (id) => /** @type {const} */ ({ type: "command_result", name: "ping", ok: true, id, result: 1 });

/** @param {{comesBack?: boolean, most?: number}} [options] */
function waiting({ comesBack = true, most = 10 } = {}) {
  const clock = new FakeClock();
  const requests = new Requests({ comesBack, most, clock });
  /**
   * @param {string} id
   * @param {{timeout?: number, signal?: AbortSignal}} [wait]
   */
  const ask = (id, { timeout = 60, signal } = {}) => {
    const answer = requests.expect(chat(id), "chat_accepted", { timeout, signal });
    answer.catch(() => {});
    return answer;
  };
  return { clock, requests, ask };
}

/** @param {Requests} requests */
const unsent = (requests) => requests.takeUnsent().map((message) => message.id);

test("an answer finds its request by the id", async () => {
  const { requests, ask } = waiting();
  const a = ask("a");
  const b = requests.expect(command("b"), "command_result", { timeout: 60 });
  assert(requests.settle(result("b")));
  assert(requests.settle(accepted("a")));
  assert.deepEqual([await a, await b], [accepted("a"), result("b")]);
  assert.equal(requests.size, 0);
});

test("an error with the id of a request refuses it, and so does a result that says no", async () => {
  const { requests, ask } = waiting();
  const a = ask("a");
  const refusal = { code: "QUEUE_FULL", message: "later", retryable: true, retry_after: 2.5 };
  assert(requests.settle({ type: "error", id: "a", ...refusal }));
  const expected = { name: "RefusedError", code: "QUEUE_FULL", message: "later", retryable: true, retryAfter: 2.5 };
  await assert.rejects(a, expected);
  const b = requests.expect(command("b"), "command_result", { timeout: 60 });
  assert(requests.settle({ type: "command_result", name: "ping", ok: false, id: "b", error: refusal }));
  await assert.rejects(b, expected);
});

const STOPPING = { code: "STOPPING", message: "not now", retryable: true };
for (const refusal of /** @type {GatewayEvent[]} */ ([
  { type: "error", id: "a", ...STOPPING },
  { type: "command_result", name: "ping", ok: false, id: "a", error: STOPPING },
])) {
  test(`a gateway that is about to stop has not answered, by a ${refusal.type}: the next one is asked again`, async () => {
    const { requests } = waiting();
    const answer = requests.expect(command("a"), "command_result", { timeout: 60 });
    assert.deepEqual(unsent(requests), ["a"]);
    assert(requests.settle(refusal));
    assert.deepEqual([unsent(requests), requests.size], [[], 1]);
    requests.rewind();
    assert.deepEqual(unsent(requests), ["a"]);
    assert(requests.settle(result("a")));
    assert.deepEqual(await answer, result("a"));
  });

  test(`who does not come back is told, by a ${refusal.type}`, async () => {
    const { requests } = waiting({ comesBack: false });
    const answer = requests.expect(command("a"), "command_result", { timeout: 60 });
    assert(requests.settle(refusal));
    await assert.rejects(answer, RefusedError);
  });
}

for (const event of /** @type {GatewayEvent[]} */ ([
  { type: "pong", timestamp: 1 },
  { type: "chat_accepted", session_id: "s", queued: 0 },
  accepted("b"),
  result("a"),
  { type: "error", code: "AGENT_ERROR", message: "failed", id: "a", seq: 3 },
  { type: "error", code: "INVALID_MESSAGE", message: "what?" },
])) {
  test(`what answers nobody is left to others: ${JSON.stringify(event)}`, () => {
    const { requests, ask } = waiting();
    void ask("a");
    assert.equal(requests.settle(event), false);
    assert.equal(requests.size, 1);
  });
}

test("who waits too long is told, and an answer that comes later answers nobody", async () => {
  const { clock, requests, ask } = waiting();
  const answer = ask("a", { timeout: 5 });
  await clock.pass(5);
  await assert.rejects(answer, NoReplyError);
  assert.deepEqual([requests.settle(accepted("a")), requests.size, unsent(requests)], [false, 0, []]);
});

test("a page that was frozen still has time for the answers that wait to be looked at", async () => {
  const { clock, requests, ask } = waiting();
  const answer = ask("a", { timeout: 5 });
  await clock.freeze(3600);
  assert(requests.settle(accepted("a")));
  assert.deepEqual(await answer, accepted("a"));
});

test("a signal ends the wait, and leaves nothing behind", async () => {
  const { clock, requests, ask } = waiting();
  const ending = new AbortController();
  const answer = ask("a", { signal: ending.signal });
  ending.abort(new Error("enough"));
  await assert.rejects(answer, /enough/);
  assert.deepEqual([requests.size, unsent(requests), clock.timers.size], [0, [], 0]);
  await assert.rejects(ask("b", { signal: ending.signal }), /enough/);
  assert.equal(requests.size, 0);
});

test("an id is waited for once at a time", async () => {
  const { requests, ask } = waiting();
  const first = ask("a");
  await assert.rejects(ask("a"), { name: "TypeError", message: /"a" is still waited for/ });
  assert(requests.settle(accepted("a")));
  await first;
  const second = ask("a");
  assert(requests.settle(accepted("a")));
  await second;
});

test("no more than so many wait at once; one more is refused and not sent", async () => {
  const { requests, ask } = waiting({ most: 2 });
  void ask("a");
  void ask("b");
  await assert.rejects(ask("c"), BusyError);
  assert.deepEqual(unsent(requests), ["a", "b"]);
  requests.settle(accepted("a"));
  void ask("c");
  assert.deepEqual(unsent(requests), ["c"]);
});

test("close tells those who wait and those who come later", async () => {
  const { clock, requests, ask } = waiting();
  const early = [ask("a"), ask("b")];
  requests.close(new ClosedError(1001, "bye"));
  for (const answer of [...early, ask("c")]) await assert.rejects(answer, { name: "ClosedError", code: 1001, reason: "bye" });
  assert.equal(clock.timers.size, 0);
});

test("over a new connection all that is unanswered is sent again, in order and ahead of what is new", () => {
  const { requests, ask } = waiting();
  void ask("a");
  void ask("b");
  assert.deepEqual(unsent(requests), ["a", "b"]);
  void ask("c");
  requests.settle(accepted("a"));
  requests.rewind();
  void ask("d");
  assert.deepEqual(unsent(requests), ["b", "c", "d"]);
  assert.deepEqual(unsent(requests), []);
});
