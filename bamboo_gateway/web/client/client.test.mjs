import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { BusyError, ClosedError, connect, ConnectError, NoReplyError, RefusedError } from "./bamboo.js";
import { FakeSocket, settled } from "./doubles.test.mjs";

beforeEach(() => void (FakeSocket.made = []));

/**
 * A client that was greeted.
 *
 * @param {import("./client.js").Options} [options]
 * @param {Parameters<FakeSocket["greet"]>[0]} [greeting]
 */
async function greeted(options, greeting) {
  const connecting = connect("ws://gateway.test", { WebSocket: FakeSocket, ...options });
  FakeSocket.last.greet(greeting);
  return { client: await connecting, socket: FakeSocket.last };
}

/** @param {import("./client.js").Client} client */
async function ended(client) {
  const closing = client.close();
  FakeSocket.last.break(1000);
  await closing;
}

test("what was wanted is what is asked for, and nothing else", async () => {
  const { client, socket } = await greeted({
    token: "sesame",
    sessionId: "s",
    lastSeq: 4,
    epoch: "e1",
    channels: { "*": 2 },
    replay: "exact",
    temporary: true,
    exclusive: true,
    client: { name: "page", version: "1" },
  });
  assert.deepEqual(socket.sent, [
    {
      type: "connect",
      protocol: 2,
      auth: "sesame",
      exclusive: true,
      temporary: true,
      replay: "exact",
      client: { name: "page", version: "1" },
      session_id: "s",
      last_seq: 4,
      epoch: "e1",
      channels: { "*": 2 },
    },
  ]);
  await ended(client);
});

test("a client says how it is", async () => {
  const { client } = await greeted({}, { session_id: "s7", last_seq: 3 });
  assert.deepEqual([client.state, client.sessionId, client.connected.protocol], ["open", "s7", 2]);
  assert.deepEqual(client.cursor, { sessionId: "s7", lastSeq: 3, epoch: "e1", channels: {} });
  await ended(client);
  assert.equal(client.state, "closed");
});

test("a chat is answered by what the gateway says of it", async () => {
  const { client, socket } = await greeted();
  const answer = client.chat("hello", { id: "mine", metadata: { lang: "en", none: null } });
  assert.deepEqual(socket.said("chat"), [
    { type: "chat", content: "hello", session_id: "s", id: "mine", metadata: { lang: "en", none: null } },
  ]);
  await settled();
  socket.say({ type: "chat_accepted", session_id: "s", run_id: "r", queued: 2, id: "mine" });
  const { run_id, queued } = await answer;
  assert.deepEqual([run_id, queued], ["r", 2]);
  await ended(client);
});

test("a command is answered by its result", async () => {
  const { client, socket } = await greeted();
  const answer = client.command("session.get", { session_id: "other" }, { sessionId: "other", id: "c" });
  const asked = { type: "command", name: "session.get", args: { session_id: "other" }, id: "c", session_id: "other" };
  assert.deepEqual(socket.said("command"), [asked]);
  await settled();
  socket.say({ type: "command_result", name: "session.get", ok: true, id: "c", result: { name: "Other" } });
  assert.equal((await answer).name, "Other");
  void client.command("status").catch(() => {});
  assert.equal(socket.said("command")[1]?.args, null);
  await ended(client);
});

test("an id is made for what has none, another one each time, in pages that came over plain HTTP as well", async (context) => {
  const { client, socket } = await greeted();
  context.mock.method(crypto, "randomUUID", () => assert.fail("such pages have none"));
  for (const text of ["a", "b"]) client.chat(text).catch(() => {});
  const ids = socket.said("chat").map((message) => message.id);
  assert.equal(new Set(ids).size, 2);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  await ended(client);
});

test("a refusal has the gateway's code and words, and says whether to ask again", async () => {
  const { client, socket } = await greeted();
  const answer = client.command("session.rename", { name: "x" }, { id: "c" });
  await settled();
  const error = { code: "RATE_LIMITED", message: "too much", retryable: true, retry_after: 1.5 };
  socket.say({ type: "command_result", name: "session.rename", ok: false, id: "c", error });
  await assert.rejects(answer, (refusal) => {
    assert(refusal instanceof RefusedError);
    const { code, message, retryable, retryAfter } = refusal;
    assert.deepEqual([code, message, retryable, retryAfter], ["RATE_LIMITED", "too much", true, 1.5]);
    return true;
  });
  await ended(client);
});

test("what cannot be sent is the caller's error, and the connection lives on", async () => {
  const limits = { max_message_bytes: 200, max_queued_chats: 1, heartbeat_interval: 30 };
  const { client, socket } = await greeted({}, { limits });
  await assert.rejects(client.chat("x".repeat(200)), { name: "RefusedError", code: "MESSAGE_TOO_BIG" });
  await assert.rejects(client.chat("\ud800"), TypeError);
  await assert.rejects(client.command("echo", { n: NaN }), TypeError);
  await assert.rejects(client.command(""), TypeError);
  await assert.rejects(client.command("echo", null, { id: "" }), TypeError);
  await assert.rejects(client.chat("x", { id: "x".repeat(257) }), TypeError);
  await assert.rejects(client.chat(/** @type {any} */ (undefined)), TypeError);
  assert.deepEqual([socket.said("chat"), socket.said("command"), client.state], [[], [], "open"]);
  await ended(client);
});

test("waits are bounded: in time, and in number", async () => {
  const { client } = await greeted({ limits: { replyTimeout: 0.01, maxRequests: 1 } });
  const answer = client.chat("hello");
  await assert.rejects(client.chat("again"), BusyError);
  await assert.rejects(answer, NoReplyError);
  const ending = new AbortController();
  const aborted = client.chat("hello", { signal: ending.signal });
  ending.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  await ended(client);
});

test("closing ends what waits, and what comes later", async () => {
  const { client } = await greeted();
  const answer = client.chat("hello");
  const checked = assert.rejects(answer, (error) => error instanceof ClosedError && error.code === 1000);
  await ended(client);
  await checked;
  await assert.rejects(client.command("status"), ClosedError);
});

test("a token that was replaced is shown from then on, and nobody who looks on sees either", async () => {
  const { client, socket } = await greeted({ token: "old", reconnect: { firstInterval: 0.001 } });
  /** @type {any[]} */
  const frames = [];
  client.on("frame", ({ message }) => frames.push(message));
  await settled();
  const answer = client.command("auth.refresh", { auth: "new" }, { id: "c" });
  socket.say({ type: "command_result", name: "auth.refresh", ok: true, id: "c", result: {} });
  await answer;
  socket.break();
  while (FakeSocket.last === socket) await settled();
  FakeSocket.last.open();
  assert.equal(FakeSocket.last.said("connect")[0]?.auth, "new");
  assert.doesNotMatch(JSON.stringify(frames), /old|"new"/);
  assert.equal(frames.filter((message) => message.type === "connect").length, 2);
  client.close();
});

test("what is no WebSocket URL is said so at once", async () => {
  for (const url of ["", "http://gateway", "gateway:1", "ws://", "ws:///x", "wss:gateway"]) {
    await assert.rejects(connect(url, { WebSocket: FakeSocket }), (error) => {
      assert(error instanceof ConnectError);
      assert.match(error.message, /is no WebSocket URL, such as ws:\/\/127\.0\.0\.1:18790$/);
      return true;
    });
  }
  assert.equal(FakeSocket.made.length, 0);
});

test("a token that is no text is said so at once, and not when the socket is open", async () => {
  await assert.rejects(connect("ws://gateway.test", { WebSocket: FakeSocket, token: "\ud800" }), TypeError);
  assert.equal(FakeSocket.made.length, 0);
});

test("a URL that the socket does not take is said so in its words", async () => {
  class Picky {
    constructor() {
      throw new DOMException("an insecure connection from a page that was loaded over HTTPS", "SecurityError");
    }
  }
  await assert.rejects(connect("ws://gateway.test", { WebSocket: Picky }), { name: "ConnectError", message: /loaded over HTTPS/ });
});

test("where there is no WebSocket at all, that is what is wrong", async () => {
  const scope = /** @type {any} */ (globalThis);
  const before = scope.WebSocket;
  scope.WebSocket = undefined;
  try {
    await assert.rejects(connect("ws://gateway.test"), { name: "ConnectError", message: /no WebSocket here/ });
  } finally {
    scope.WebSocket = before;
  }
});

test("a policy that makes no sense is refused before anything is done", async () => {
  await assert.rejects(connect("ws://gateway.test", { WebSocket: FakeSocket, reconnect: { maxInterval: 0 } }), RangeError);
  assert.equal(FakeSocket.made.length, 0);
});
