// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { NoReplyError, RefusedError } from "../../client/bamboo.js";
import { signal } from "../../vendor/signals/signals.js";
import { Shelf } from "../shell/shelf.js";
import { answerText, runningTurn } from "./conversation.js";
import { MAX_WAITING, SessionStream } from "./session_stream.js";
import { mapStorage } from "../shell/map_storage.mjs";

// What a stream takes of a page: events are drawn in the next turn of the loop, by a clock on which that takes no time.
mock.method(performance, "now", () => 0);
globalThis.document = { visibilityState: "visible" };
globalThis.requestAnimationFrame = (draw) => void setImmediate().then(draw);

/** Long enough for whatever needs no answer of the gateway. */
async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

/**
 * A session at a gateway, and the client that follows it.
 *
 * What it is asked it answers at once; the names in `held` wait for `answer`, those in `refused` get an error.
 */
class FakeClient {
  sessionId = "s";
  connected = { session_id: "s", epoch: "e1", last_seq: 0 };
  cursor = { lastSeq: 0 };
  handlers = {};
  asked = [];
  held = new Set();
  refused = {};
  waiting = [];
  text = "";
  seq = 0;

  on(name, handler) {
    (this.handlers[name] ??= []).push(handler);
  }

  tell(name, event = {}) {
    for (const handler of this.handlers[name] ?? []) handler(event);
  }

  command(name) {
    this.asked.push(name);
    if (this.held.has(name)) return new Promise((resolve, reject) => this.waiting.push({ name, resolve, reject }));
    if (this.refused[name]) return Promise.reject(this.refused[name]);
    return Promise.resolve(this.result(name));
  }

  /** Answer what has waited longest, as of now. */
  answer(result) {
    const { name, resolve } = this.waiting.shift();
    resolve(result ?? this.result(name));
    return settle();
  }

  result(name) {
    if (name === "session.get") return { session_id: "s", epoch: this.connected.epoch };
    if (name === "presence.list") return { watchers: [] };
    if (name !== "session.history") return {};
    const answered = { tool_calls: [], truncated: false, run_id: "r", ts: 1 };
    const question = { ...answered, role: "user", content: "?", status: "complete" };
    const answer = { ...answered, role: "assistant", content: this.text, status: "running" };
    return { messages: [question, answer], first: 0, has_more: false, seq: this.seq, queued: [] };
  }

  /** The agent says *word*; only the history has it, unless it *isHeard*. */
  speak(word, isHeard = true) {
    this.text += word;
    this.seq += 1;
    const event = { type: "agent_token", run_id: "r", token: word, seq: this.seq, session_id: "s", ts: 1 };
    if (isHeard) this.tell("*", event);
  }

  /** What was said from *requested* on is lost to this client; the log goes on after what is newest. */
  gap(requested, epoch = this.connected.epoch) {
    this.connected = { ...this.connected, epoch };
    this.tell("*", { type: "gap", requested, earliest: this.seq + 1, latest: this.seq, epoch, session_id: "s" });
  }

  async close() {
    this.isClosed = true;
    this.tell("closed", { code: 1000, reason: "", error: null });
  }
}

/** A stream and its client, before it is opened; what the page said of troubles, and aloud. */
function session() {
  globalThis.window = new EventTarget();
  const client = new FakeClient();
  const storage = mapStorage();
  const shelf = new Shelf(() => storage);
  const said = [];
  const desk = {
    shelf,
    network: { isOnline: signal(true) },
    gate: { link: signal("open"), command: (name) => client.command(name), open: async () => client },
    toasts: { failed: (what) => said.push(what) },
    announcer: { say: (text) => said.push(text) },
  };
  return { client, desk, said, stream: new SessionStream(desk, "s") };
}

/** The same, open, with "one " said. */
async function opened() {
  const all = session();
  all.client.speak("one ", false);
  await all.stream.open();
  await settle();
  return all;
}

/** What is shown of the answer, and of gaps: how many events each note counts. */
function shown({ conversation }) {
  const { items } = conversation.value;
  const turns = items.filter((item) => item.kind === "turn");
  return [turns.map(answerText).join("|"), ...items.filter((item) => item.kind === "gap").map((item) => item.count)];
}

test("what comes while the first page is on its way is shown after it, once", async () => {
  const { client, stream } = session();
  client.held.add("session.history");
  const opening = stream.open();
  await settle();
  client.speak("one ");
  const page = client.result("session.history");
  client.speak("two ");
  await client.answer(page);
  await opening;
  assert.equal(stream.state.value.phase, "open");
  assert.deepEqual(shown(stream), ["one two "]);
});

test("a gap is noted, the history told, and what comes after it is added", async () => {
  const { client, stream } = await opened();
  client.speak("two ", false);
  client.speak("three ", false);
  client.gap(2);
  client.speak("four ");
  await settle();
  client.speak("five ");
  await settle();
  assert.deepEqual(shown(stream), ["one two three four five ", 2]);
  assert.equal(stream.state.value.phase, "open");
});

test("a gap in a new epoch is noted without a number, and what comes has small numbers", async () => {
  const { client, stream } = await opened();
  client.speak("two ");
  client.speak("three ");
  await settle();
  client.seq = 0;
  client.gap(4, "e2");
  client.speak("four ");
  await settle();
  client.speak("five ");
  await settle();
  assert.deepEqual(shown(stream), ["one two three four five ", null]);
});

for (const failing of ["session.get", "session.history"]) {
  test(`a gap where ${failing} fails ends the stream, which says why and can be opened again`, async () => {
    const { client, stream, desk } = await opened();
    const error = new RefusedError("RATE_LIMITED", "too many commands", { retryAfter: 1 });
    client.refused[failing] = error;
    client.speak("two ", false);
    client.gap(2);
    client.speak("three ");
    await settle();
    assert.deepEqual([stream.state.value, client.isClosed], [{ phase: "failed", error }, true]);
    client.speak("four ");
    await settle();
    assert.deepEqual([stream.inbox, shown(stream)], [[], ["one "]], "nothing is shown behind a hole, and nothing kept");
    stream.close();
    client.refused = {};
    const again = new SessionStream(desk, "s");
    await again.open();
    assert.deepEqual([again.state.value.phase, shown(again)], ["open", ["one two three four "]]);
  });
}

test("a second gap while the first is mended: the page that was asked for before it is not shown", async () => {
  const { client, stream } = await opened();
  client.held.add("session.history");
  client.speak("two ", false);
  client.gap(2);
  client.speak("three ");
  await settle();
  const early = client.result("session.history");
  client.speak("four ", false);
  client.gap(4);
  client.speak("five ");
  await settle();
  assert.equal(client.waiting.length, 1, "one page at a time");
  await client.answer(early);
  assert.deepEqual(shown(stream), ["one "], "it is too old");
  await client.answer();
  client.speak("six ");
  await settle();
  assert.deepEqual(shown(stream), ["one two three four five six ", 2]);
  assert.equal(client.waiting.length, 0);
});

test("a second gap in a new epoch: nothing of the old one is added to the new", async () => {
  const { client, stream } = await opened();
  client.held.add("session.history");
  for (const word of ["two ", "three "]) client.speak(word, false);
  client.gap(2);
  client.speak("four ");
  await settle();
  client.seq = 0;
  client.gap(5, "e2");
  client.speak("five ");
  await client.answer();
  await client.answer();
  client.speak("six ");
  await settle();
  assert.deepEqual(shown(stream), ["one two three four five six ", null]);
});

test("a gap while the stream is opened leads to another page, and to no note: nothing was shown yet", async () => {
  const { client, stream } = session();
  client.held.add("session.history");
  const opening = stream.open();
  await settle();
  const early = client.result("session.history");
  client.speak("one ", false);
  client.gap(1);
  await client.answer(early);
  await client.answer();
  await opening;
  assert.deepEqual([stream.state.value.phase, shown(stream)], ["open", ["one "]]);
});

test("where more comes than may wait for a page, the history is read once more", async () => {
  const { client, stream } = await opened();
  client.held.add("session.history");
  client.gap(2);
  await settle();
  const early = client.result("session.history");
  for (let number = 0; number <= MAX_WAITING + 10; number += 1) client.speak(".");
  assert.ok(stream.inbox.length <= MAX_WAITING);
  await client.answer(early);
  await client.answer();
  assert.deepEqual(shown(stream)[0], client.text);
});

test("a line that comes back with all that was missed says so, and how much it was", async () => {
  const { client, stream } = await opened();
  client.cursor.lastSeq = client.seq;
  client.tell("disconnected", { retryIn: 1 });
  assert.equal(stream.link.value, "reconnecting");
  for (const word of ["two ", "three "]) client.speak(word, false);
  client.connected.last_seq = client.seq;
  client.tell("open");
  assert.deepEqual([stream.link.value, stream.retryAt.value], ["open", null]);
  assert.match(stream.note.value, /nothing was lost \(2 events caught up\)/);
});

test("a line that comes back with a gap takes back that nothing was lost", async () => {
  const { client, stream, said } = await opened();
  client.tell("disconnected", { retryIn: 1 });
  client.speak("two ", false);
  client.tell("open");
  client.gap(2);
  await settle();
  assert.deepEqual([stream.note.value, stream.brokenAt, shown(stream)], [null, null, ["one two ", 1]]);
  assert.match(said.at(-1), /has a gap/);
});

test("a session that the gateway has no longer has ended, also while a gap is mended", async () => {
  const { client, stream } = await opened();
  client.held.add("session.get");
  client.gap(2);
  client.tell("*", { type: "session_ended", session_id: "s", reason: "deleted" });
  client.waiting.shift().reject(new Error("closed"));
  await settle();
  assert.deepEqual(stream.state.value, { phase: "ended", reason: "deleted" });
});

test("who reloads the page in mid-answer is told that nothing was lost, and how much came meanwhile", async () => {
  const { client, stream, desk } = await opened();
  assert.ok(runningTurn(stream.conversation.value));
  window.dispatchEvent(new Event("pagehide"));
  stream.close();
  client.handlers = {};
  client.speak("two ", false);
  const after = new SessionStream(desk, "s");
  await after.open();
  assert.deepEqual(shown(after), ["one two "]);
  assert.match(after.note.value, /1 event caught up/);
});

test("a connection that outlives an outage tells so; a refused question is an answer, too", async () => {
  for (const refusal of [undefined, new RefusedError("RATE_LIMITED", "too many commands")]) {
    const { client, stream, desk } = await opened();
    client.refused.ping = refusal;
    desk.network.isOnline.value = false;
    client.speak("two ");
    desk.network.isOnline.value = true;
    await settle();
    assert.equal(stream.brokenAt, null);
    assert.match(stream.note.value, /1 event caught up/);
  }
});

test("where nothing answers after an outage nothing is told, and the next one is counted for itself", async () => {
  const { client, stream, desk } = await opened();
  client.refused.ping = new NoReplyError("no answer");
  desk.network.isOnline.value = false;
  desk.network.isOnline.value = true;
  await settle();
  assert.deepEqual([stream.note.value, stream.brokenAt], [null, null]);
});

test("where the line turns out to be lost, it is told of when it is back", async () => {
  const { client, stream, desk } = await opened();
  client.held.add("ping");
  desk.network.isOnline.value = false;
  desk.network.isOnline.value = true;
  client.tell("disconnected", { retryIn: 1 });
  client.waiting.shift().reject(new NoReplyError("no answer"));
  await settle();
  assert.equal(stream.brokenAt, 1);
  client.connected.last_seq = 1;
  client.tell("open");
  assert.match(stream.note.value, /nothing happened meanwhile/);
});

test("where the other connection is back, this one tries at once", async () => {
  const { client, desk, stream } = await opened();
  let tries = 0;
  client.reconnectNow = () => (tries += 1);
  desk.gate.link.value = "reconnecting";
  client.tell("disconnected", { retryIn: 9 });
  assert.equal(tries, 0);
  desk.gate.link.value = "open";
  assert.equal(tries, 1);
  stream.close();
});
