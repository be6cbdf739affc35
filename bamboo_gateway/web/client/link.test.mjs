import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Cursors } from "./cursors.js";
import { FakeClock, FakePage, FakeSocket, settled } from "./doubles.test.mjs";
import { Link } from "./link.js";
import { Listeners } from "./listeners.js";
import { Reconnect } from "./reconnect.js";

/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */

beforeEach(() => void (FakeSocket.made = []));

/** @type {Array<() => Promise<void>>} */
const endings = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/**
 * A link in a world of the test's making; all that it tells is kept.
 *
 * @param {{reconnect?: Reconnect | null, url?: string, hello?: object, cursor?: object}} [options]
 */
function linking({ reconnect = new Reconnect(), url = "ws://gateway.test", hello = {}, cursor = {} } = {}) {
  const clock = new FakeClock();
  const page = new FakePage();
  const listeners = new Listeners();
  const link = new Link({
    door: { url, WebSocket: /** @type {any} */ (FakeSocket), clock, timeout: 10 },
    hello: { type: "connect", protocol: 2, ...hello },
    cursors: new Cursors(cursor),
    reconnect,
    listeners,
    surroundings: page,
    chance: () => 0.5,
    maxRequests: 10,
    heartbeatInterval: null,
    heartbeatTimeout: 10,
  });
  /** @type {string[]} */
  const told = [];
  listeners.add("*", (event) => told.push("seq" in event && event.seq ? `${event.type} ${event.seq}` : event.type));
  listeners.add("open", ({ resumed, attempt }) => told.push(`open ${resumed ? "resumed" : "new"} ${attempt}`));
  listeners.add("disconnected", ({ code, reason, retryIn }) => told.push(`disconnected ${code} ${reason}, ${retryIn}`));
  listeners.add("retry", ({ attempt, reason, retryIn }) => told.push(`retry ${attempt} ${reason}, ${retryIn}`));
  listeners.add("closed", ({ code, reason, error }) => told.push(`closed ${code} ${reason}${error ? "" : " by itself"}`));
  /** What was told since the last time. */
  const news = () => told.splice(0);
  return { clock, page, listeners, link, news };
}

/** @param {Parameters<typeof linking>[0]} [options] */
async function linked(options) {
  const world = linking(options);
  const started = world.link.start();
  FakeSocket.last.greet();
  await started;
  await settled();
  assert.deepEqual(world.news(), ["connected", "open new 0"]);
  return { ...world, socket: FakeSocket.last };
}

/** @param {number} seq */
const token = (seq) => /** @type {const} */ ({ type: "agent_token", session_id: "s", token: "x", seq });

/**
 * @param {Link} link
 * @param {string} id
 */
function chat(link, id) {
  const message = { type: /** @type {const} */ ("chat"), content: id, session_id: "s", id };
  const answer = link.requests.expect(message, "chat_accepted", { timeout: 600 });
  answer.catch(() => {});
  link.flush();
  return answer;
}

// ── the first connection ─────────────────────────────────────────────────────

test("nothing is told before who waited for the connection had time to listen, and then everything in order", async () => {
  const { link, listeners } = linking();
  const started = link.start();
  FakeSocket.last.greet();
  FakeSocket.last.say(token(1));
  await started;
  /** @type {string[]} */
  const heard = [];
  for (let step = 0; step < 20; step++) await null; // whoever waits for who waits …
  listeners.add("*", (event) => heard.push(event.type));
  listeners.add("open", () => heard.push("open"));
  FakeSocket.last.say(token(2));
  assert.deepEqual(heard, []);
  await settled();
  assert.deepEqual(heard, ["connected", "open", "agent_token", "agent_token"]);
});

test("the frames of the greeting can be looked at, without the token", async () => {
  const { link, listeners } = linking({ hello: { auth: "secret" } });
  const started = link.start();
  FakeSocket.last.greet();
  await started;
  /** @type {any[]} */
  const frames = [];
  listeners.add("frame", (frame) => frames.push(frame));
  await settled();
  assert.deepEqual(frames.map((frame) => [frame.direction, frame.message.type]), [["out", "connect"], ["in", "connected"]]);
  assert.equal(frames[0].message.auth, "…");
  assert.equal(FakeSocket.last.said("connect")[0]?.auth, "secret");
  assert(frames.every((frame) => frame.bytes > 20 && frame.at > 1e12));
});

test("who is refused is told why, and the socket is let go", async () => {
  const { link } = linking();
  const started = link.start();
  FakeSocket.last.open();
  FakeSocket.last.say({ type: "error", code: "UNAUTHORIZED", message: "the token is wrong" });
  await assert.rejects(started, { name: "RefusedError", code: "UNAUTHORIZED", message: "the token is wrong" });
  assert.equal(FakeSocket.last.closedWith, 1000);
});

test("a gateway that closes before it has answered is over, and not tried again", async () => {
  const { link, clock } = linking();
  const started = link.start();
  FakeSocket.last.open();
  FakeSocket.last.break(1013, "full");
  await assert.rejects(started, { name: "ClosedError", code: 1013, reason: "full" });
  await clock.pass(1000);
  assert.equal(FakeSocket.made.length, 1);
});

test("nobody there, no answer in time, another protocol and nonsense are errors", async () => {
  const nobody = linking().link.start();
  FakeSocket.last.break();
  await assert.rejects(nobody, { name: "ConnectError", message: /no WebSocket came about with ws:\/\/gateway\.test/ });

  const late = linking();
  const waiting = late.link.start();
  waiting.catch(() => {});
  FakeSocket.last.open();
  await late.clock.pass(10);
  await assert.rejects(waiting, { name: "ConnectError", message: "no answer from ws://gateway.test within 10 seconds" });

  const old = linking().link.start();
  FakeSocket.last.greet({ protocol: 1 });
  await assert.rejects(old, { message: "the gateway speaks protocol 1, this client 2" });

  for (const nonsense of ["{", "[]", "null", '"x"', '{"Connected":{}}', new ArrayBuffer(3)]) {
    const confused = linking().link.start();
    FakeSocket.last.open();
    FakeSocket.last.tell(nonsense);
    await assert.rejects(confused, { name: "ClosedError", code: 1002 });
    assert.equal(FakeSocket.last.closedWith, 1000);
  }
});

test("an attempt can be given up, and so can the client", async () => {
  const ending = new AbortController();
  const started = linking().link.start(ending.signal);
  ending.abort(new Error("enough"));
  await assert.rejects(started, /enough/);
  assert.equal(FakeSocket.last.closedWith, 1000);
  await assert.rejects(linking().link.start(ending.signal), /enough/);

  const later = new AbortController();
  const { link, news } = linking();
  const connecting = link.start(later.signal);
  FakeSocket.last.greet();
  await connecting;
  await settled();
  news();
  later.abort();
  assert.deepEqual(news(), ["closed 1000 this client was closed by itself"]);
});

test("where a cursor was kept, the first connect goes on there", async () => {
  const { link, news } = linking({ cursor: { sessionId: "s", lastSeq: 4, epoch: "e1", channels: { "*": 2 } }, hello: { exclusive: true } });
  const started = link.start();
  FakeSocket.last.greet({ resumed: true, last_seq: 6 });
  await started;
  const [said] = FakeSocket.last.said("connect");
  assert.deepEqual([said?.session_id, said?.last_seq, said?.epoch, said?.channels, said?.exclusive], ["s", 4, "e1", { "*": 2 }, true]);
  for (const seq of [4, 5, 6]) FakeSocket.last.say(token(seq));
  await settled();
  assert.deepEqual(news(), ["connected", "open resumed 0", "agent_token 5", "agent_token 6"]);
});

// ── coming back ──────────────────────────────────────────────────────────────

test("a lost connection is told, and the client comes back to where it was", async () => {
  const { clock, link, news, socket } = await linked({ hello: { auth: "secret", exclusive: true } });
  socket.say(token(1));
  socket.break();
  assert.equal(link.state, "reconnecting");
  assert.deepEqual(news(), ["agent_token 1", "disconnected 1006 it broke off without a close frame, 0.5"]);
  await clock.pass(0.4);
  assert.equal(FakeSocket.made.length, 1);
  await clock.pass(0.1);
  FakeSocket.last.greet({ resumed: true, last_seq: 2 });
  FakeSocket.last.say(token(1));
  FakeSocket.last.say(token(2));
  await settled();
  const [said] = FakeSocket.last.said("connect");
  assert.deepEqual([said?.session_id, said?.last_seq, said?.epoch, said?.auth, said?.exclusive], ["s", 1, "e1", "secret", null]);
  assert.deepEqual(news(), ["connected", "open resumed 1", "agent_token 2"]);
  assert.equal(link.state, "open");
});

test("each failed attempt is told, and the pauses grow up to their bound", async () => {
  const { clock, news, socket } = await linked();
  socket.break();
  for (const pause of [0.5, 1, 2, 4, 8, 15, 15]) {
    const [line] = news();
    assert.equal(line?.split(", ").at(-1), String(pause));
    await clock.pass(pause);
    FakeSocket.last.break();
    await settled();
  }
});

test("what a gateway that stops has asked for is kept to", async () => {
  const { clock, news, page, socket } = await linked();
  socket.say({ type: "shutdown", reason: "restart", retry_after: 4, jitter: 6 });
  socket.break(1012, "the gateway restarts");
  assert.deepEqual(news(), ["shutdown", "disconnected 1012 the gateway restarts, 7"]);
  page.tell("shown");
  await clock.pass(3.9);
  assert.equal(FakeSocket.made.length, 1);
  page.tell("shown");
  await clock.pass(0.1);
  assert.equal(FakeSocket.made.length, 2);
});

test("a refusal that asks for a pause delays the next attempt", async () => {
  const { clock, news, socket } = await linked();
  socket.break();
  await clock.pass(0.5);
  FakeSocket.last.open();
  FakeSocket.last.say({ type: "error", code: "CAPACITY_EXCEEDED", message: "full", retryable: true, retry_after: 20 });
  await settled();
  assert.equal(news().at(-1), "retry 1 CAPACITY_EXCEEDED: full, 21");
});

for (const [code, reason] of /** @type {Array<[number, string]>} */ ([[4003, "taken"], [4006, "revoked"], [1000, ""], [1008, "rule"]])) {
  test(`after ${code} the client stays away`, async () => {
    const { clock, link, news, socket } = await linked();
    const answer = chat(link, "a");
    socket.break(code, reason);
    assert.deepEqual(news(), [`closed ${code} ${reason}`]);
    await assert.rejects(answer, { name: "ClosedError", code });
    await clock.pass(1000);
    assert.deepEqual([FakeSocket.made.length, link.state, clock.timers.size], [1, "closed", 0]);
  });
}

test("a token that is no longer good ends it, and is not shown again and again", async () => {
  const { clock, news, socket } = await linked();
  socket.break();
  await clock.pass(0.5);
  FakeSocket.last.open();
  FakeSocket.last.say({ type: "error", code: "UNAUTHORIZED", message: "expired" });
  await settled();
  assert.equal(news().at(-1), "closed 4001 UNAUTHORIZED: expired");
  await clock.pass(1000);
  assert.equal(FakeSocket.made.length, 2);
});

test("a token that was replaced on the way is the one that is shown", async () => {
  const { clock, link, socket } = await linked({ hello: { auth: "old" } });
  link.rememberToken("new");
  socket.break();
  await clock.pass(0.5);
  FakeSocket.last.open();
  assert.equal(FakeSocket.last.said("connect")[0]?.auth, "new");
});

test("who shall not come back does not", async () => {
  const { clock, news, socket } = await linked({ reconnect: null });
  socket.break(1012, "restart");
  assert.deepEqual(news(), ["closed 1012 restart"]);
  await clock.pass(1000);
  assert.equal(FakeSocket.made.length, 1);
});

test("after so long without success it gives up, and says why there was none", async () => {
  const { clock, link, news, socket } = await linked({ reconnect: new Reconnect({ giveUpTimeout: 5 }) });
  socket.break(1012, "restart");
  await clock.pass(0.5);
  FakeSocket.last.break();
  await clock.pass(1);
  FakeSocket.last.break();
  await clock.pass(2);
  FakeSocket.last.open(); // and then says nothing
  await clock.pass(1.6);
  assert.equal(news().at(-1), "closed 1006 no WebSocket came about with ws://gateway.test; gave up after 5 seconds");
  assert.deepEqual([link.state, FakeSocket.last.closedWith, clock.timers.size], ["closed", 1000, 0]);
});

test("seconds in which the page slept are no reason to give up", async () => {
  const { clock, link, socket } = await linked();
  socket.break();
  await clock.freeze(7200);
  assert.equal(FakeSocket.made.length, 2);
  FakeSocket.last.greet({ resumed: true });
  await settled();
  assert.equal(link.state, "open");
});

test("in a new session pending chats are said there", async () => {
  const { clock, link, socket } = await linked();
  void chat(link, "a");
  socket.break();
  await clock.pass(0.5);
  FakeSocket.last.greet({ session_id: "t", resumed: false });
  await settled();
  assert.equal(FakeSocket.last.said("chat")[0]?.session_id, "t");
});

// ── requests ─────────────────────────────────────────────────────────────────

test("what was not answered is said again over the next connection, and is no event", async () => {
  const { clock, link, news, socket } = await linked();
  const [a, b] = [chat(link, "a"), chat(link, "b")];
  socket.say({ type: "chat_accepted", session_id: "s", queued: 0, id: "a" });
  socket.break();
  const c = chat(link, "c");
  await clock.pass(0.5);
  FakeSocket.last.greet({ resumed: true });
  await settled();
  assert.deepEqual(socket.said("chat").map((message) => message.id), ["a", "b"]);
  assert.deepEqual(FakeSocket.last.said("chat").map((message) => message.id), ["b", "c"]);
  for (const id of ["b", "c"]) FakeSocket.last.say({ type: "chat_accepted", session_id: "s", queued: 0, id });
  assert.deepEqual((await Promise.all([a, b, c])).map((answer) => answer.id), ["a", "b", "c"]);
  assert(!news().includes("chat_accepted"));
});

// ── whether anybody is there ─────────────────────────────────────────────────

test("silence is noticed within the gateway's own interval, and the answer to the question is no event", async () => {
  const { clock, news, socket } = await linked();
  await clock.pass(20);
  assert.equal(socket.said("ping").length, 1);
  socket.say({ type: "pong", timestamp: 1 });
  await clock.pass(29);
  assert.deepEqual([news(), socket.said("ping").length], [[], 2]);
  await clock.pass(1);
  assert.deepEqual(news(), ["disconnected 1006 nothing came for a while, nor the answer to a ping, 0.5"]);
  assert.equal(socket.closedWith, 1000);
  socket.say(token(1));
  socket.break();
  assert.deepEqual(news(), [], "what a dead connection says in the end is not heard");
});

test("the gateway's interval is the one that counts", async () => {
  const { link, clock } = linking();
  const started = link.start();
  FakeSocket.last.greet({ limits: { heartbeat_interval: 15, max_message_bytes: 1000, max_queued_chats: 1 } });
  await started;
  await clock.pass(5);
  assert.equal(FakeSocket.last.said("ping").length, 1);
});

for (const change of /** @type {const} */ (["online", "offline", "shown"])) {
  test(`a page that is ${change} doubts its connection`, async () => {
    const { clock, page, news, socket } = await linked();
    page.tell(change);
    assert.equal(socket.said("ping").length, 1);
    await clock.pass(5);
    assert.match(String(news()[0]), /^disconnected 1006 nothing came/);
  });
}

test("a page that is shown or online again tries at once", async () => {
  for (const change of /** @type {const} */ (["online", "shown"])) {
    const { clock, page, socket } = await linked();
    socket.break();
    await clock.pass(0.1);
    const before = FakeSocket.made.length;
    page.tell(change);
    await settled();
    assert.equal(FakeSocket.made.length, before + 1);
  }
});

test("a page that is offline waits until it no longer is", async () => {
  const { clock, page, news, socket } = await linked();
  page.tell("offline");
  socket.break();
  assert.deepEqual(news(), ["disconnected 1006 it broke off without a close frame, null"]);
  await clock.pass(20);
  assert.equal(FakeSocket.made.length, 1);
  page.tell("online");
  await settled();
  assert.equal(FakeSocket.made.length, 2);
});

test("a gateway on the same machine needs no network", async () => {
  for (const url of ["ws://127.0.0.1:18790", "ws://localhost:1", "ws://[::1]:1", "wss://a.localhost"]) {
    const { clock, page, news, socket } = await linked({ url });
    page.tell("offline");
    socket.break();
    assert.match(String(news()[0]), /, 0\.5$/);
    const before = FakeSocket.made.length;
    await clock.pass(0.5);
    assert.equal(FakeSocket.made.length, before + 1);
  }
});

test("a person who says now is not kept waiting, even from within the handler", async () => {
  const { link, listeners, socket } = await linked();
  listeners.add("disconnected", () => link.reconnectNow());
  socket.say({ type: "shutdown", reason: "restart", retry_after: 40 });
  socket.break(1012);
  await settled();
  assert.equal(FakeSocket.made.length, 2);
});

// ── the end ──────────────────────────────────────────────────────────────────

test("closing says goodbye, and waits for the answer, but not for long", async () => {
  const polite = await linked();
  const closing = polite.link.close();
  assert.deepEqual([polite.socket.closedWith, polite.link.state], [1000, "closed"]);
  polite.socket.break(1000);
  await closing;
  assert.deepEqual(polite.news(), ["closed 1000 this client was closed by itself"]);
  assert.deepEqual([polite.clock.timers.size, polite.page.watchers.size], [0, 0]);

  const mute = await linked();
  const waiting = mute.link.close();
  await mute.clock.pass(1);
  await waiting;
});

test("closing twice is closing once, and a request after it is told", async () => {
  const { link, news, socket } = await linked();
  const closing = link.close();
  socket.break(1000);
  await Promise.all([closing, link.close()]);
  await assert.rejects(chat(link, "a"), { name: "ClosedError", code: 1000 });
  assert.equal(news().length, 1);
});

test("who closes while there is no connection stays away", async () => {
  for (const seconds of [0.1, 0.5]) {
    const { clock, link, news, socket } = await linked();
    socket.break();
    await clock.pass(seconds); // in the pause, or while it connects
    const made = FakeSocket.made.length;
    await link.close();
    await clock.pass(1000);
    assert.equal(FakeSocket.made.length, made);
    assert.equal(news().at(-1), "closed 1000 this client was closed by itself");
    assert.equal(clock.timers.size, 0);
  }
});

for (const name of /** @type {const} */ (["connected", "open", "agent_token", "disconnected", "state", "frame"])) {
  test(`a handler of "${name}" may close the client, and nothing is told after that`, async () => {
    const { clock, link, listeners, news } = linking();
    listeners.add(name, () => void link.close());
    const started = link.start();
    FakeSocket.last.greet();
    FakeSocket.last.say(token(1));
    FakeSocket.last.say(token(2));
    await started;
    await settled();
    FakeSocket.last.break();
    await clock.pass(1000);
    const told = news();
    assert.equal(told.at(-1), "closed 1000 this client was closed by itself");
    assert.equal(told.filter((line) => line.startsWith("closed")).length, 1);
    assert.equal(told.includes("agent_token 2"), name === "disconnected" || name === "state");
    assert.equal(clock.timers.size, 0);
  });
}

test("a handler that fails stops nothing", async (context) => {
  context.mock.method(console, "error", () => {});
  const { clock, listeners, news, socket } = await linked();
  for (const name of /** @type {const} */ (["agent_token", "*", "disconnected", "state", "open", "frame"])) {
    listeners.add(name, () => {
      throw new Error("mine");
    });
  }
  socket.say(token(1));
  socket.break();
  await clock.pass(0.5);
  FakeSocket.last.greet({ resumed: true });
  FakeSocket.last.say(token(2));
  await settled();
  assert.deepEqual(news().filter((line) => line.startsWith("agent")), ["agent_token 1", "agent_token 2"]);
});
