// @ts-nocheck: tests make do with parts of values, and look into unions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusedError } from "../../client/bamboo.js";
import { Shelf } from "../shell/shelf.js";
import { Gate } from "./gate.js";
import { Permissions } from "./permissions.js";
import { diagnose, socketAddress } from "./reach.js";
import { mapStorage } from "../shell/map_storage.mjs";

/** A client that answers as told, and lets the test say what happens to it. */
class FakeClient {
  handlers = {};
  isClosed = false;
  state = "open";
  sessionId = "s";
  answers = { help: { commands: [{ name: "help" }, { name: "session.list" }] }, "session.get": { user_id: "ann" } };
  on(name, handler) {
    this.handlers[name] = handler;
  }
  async command(name) {
    return this.answers[name];
  }
  async close() {
    this.isClosed = true;
  }
}

/** A gate before a gateway that takes only *token* (null: none is asked for). */
function gate(token, { problem = "away" } = {}) {
  const asked = [];
  const storage = mapStorage();
  const shelf = new Shelf(() => storage);
  const forgotten = { times: 0 };
  const connect = async (_, options) => {
    asked.push(options);
    if (token instanceof Error) throw token;
    if (token !== null && options.token !== token) throw new RefusedError("UNAUTHORIZED", "wrong");
    return new FakeClient();
  };
  return {
    gate: new Gate({
      url: "ws://x",
      connect,
      diagnose: async () => problem,
      shelf,
      onClient: () => {},
      onForget: () => {
        forgotten.times += 1;
      },
    }),
    asked,
    forgotten,
    shelf,
  };
}

test("where no token is asked for, one is in at once, and knows who one is and what one may", async () => {
  const { gate: door, asked } = gate(null);
  await door.enter();
  assert.equal(door.state.value.phase, "open");
  assert.equal(door.userId.value, "ann");
  assert.equal(asked[0].token, undefined);
  assert.ok(door.permissions.value.may("session.list"));
  assert.match(door.permissions.value.lack("gateway.stats"), /metrics/);
});

test("where one is, the form comes without a reproach; a wrong one is told; the right one is kept for this tab", async () => {
  const { gate: door, shelf } = gate("secret");
  await door.enter();
  assert.deepEqual(door.state.value, { phase: "sign-in", reason: null, retryAfter: null, busy: false });
  await door.signIn("wrong");
  assert.match(door.state.value.reason, /not accepted/);
  assert.equal(shelf.get("token"), null);
  await door.signIn("secret");
  assert.equal(door.state.value.phase, "open");
  assert.equal(shelf.get("token"), "secret");
});

test("a client that is closed while it is asked what one may is lost, and not let in", async () => {
  for (const [end, phase, kept] of [
    [{ code: 4006, reason: "the token was revoked", error: null }, "sign-in", null],
    [{ code: 4002, reason: "the gateway has stopped", error: null }, "away", "secret"],
  ]) {
    const { gate: door, shelf } = gate("secret");
    const handlers = [];
    const dying = Object.assign(new FakeClient(), {
      on: (name, handler) => name === "closed" && handlers.push(handler),
      command: async () => {
        for (const handler of handlers.splice(0)) handler(end);
        throw new Error("closed");
      },
    });
    door.parts.connect = async () => dying;
    await door.signIn("secret");
    assert.deepEqual([door.state.value.phase, door.link.value, shelf.get("token")], [phase, "closed", kept]);
    assert.match(door.state.value.reason ?? door.state.value.detail, new RegExp(end.reason));
  }
});

test("a client whose line breaks while it is asked what one may is let in, and comes back", async () => {
  const { gate: door } = gate(null);
  door.parts.onClient = (client) => (client.state = "reconnecting");
  await door.enter();
  assert.deepEqual([door.state.value.phase, door.link.value], ["open", "reconnecting"]);
});

test("a revoked token leads to the form, with the reason, and is forgotten", async () => {
  const { gate: door, shelf } = gate("secret");
  await door.signIn("secret");
  door.client.handlers.closed({ code: 4006, reason: "the token was revoked", error: null });
  assert.deepEqual([door.state.value.phase, shelf.get("token")], ["sign-in", null]);
  assert.match(door.state.value.reason, /revoked/);
});

test("too many wrong tokens: the form says how long it takes", async () => {
  const { gate: door } = gate(new RefusedError("RATE_LIMITED", "too many wrong tokens", { retryAfter: 300 }));
  await door.enter();
  assert.deepEqual([door.state.value.phase, door.state.value.retryAfter], ["sign-in", 300]);
});

test("where no WebSocket comes about after a wrong token, it is for that, and no proxy is blamed", async () => {
  const { gate: door } = gate("secret", { problem: "origin" });
  await door.signIn("wrong");
  await door.turnAway(new Error("no WebSocket"));
  assert.equal(door.state.value.problem, "blocked");
});

test("a gateway that is away, and one that lets no WebSocket in, are told apart; other refusals say their code", async () => {
  for (const problem of ["away", "origin"]) {
    const { gate: door } = gate(new Error("no WebSocket"), { problem });
    await door.enter();
    assert.deepEqual([door.state.value.phase, door.state.value.problem], ["away", problem]);
  }
  const { gate: door } = gate(new RefusedError("CAPACITY_EXCEEDED", "full"));
  await door.enter();
  assert.deepEqual([door.state.value.problem, door.state.value.detail], ["refused", "full (CAPACITY_EXCEEDED)"]);
});

test("who signs out is out, and the token is forgotten", async () => {
  const { gate: door, shelf } = gate("secret");
  await door.signIn("secret");
  const { client } = door;
  await door.signOut();
  assert.deepEqual([door.state.value.phase, shelf.get("token"), client.isClosed], ["sign-in", null, true]);
  await assert.rejects(door.command("help"), /no connection/);
});

test("whoever goes takes along all that was kept in the tab: by signing out, revoked, expired, or for another token", async () => {
  const ways = {
    out: (door) => door.signOut(),
    revoked: (door) => door.lose({ code: 4006, reason: "the token was revoked", error: null }),
    expired: (door) => door.refuse(new RefusedError("UNAUTHORIZED", "expired"), "secret"),
    another: async (door, shelf) => {
      shelf.set("token", "of somebody else");
      shelf.set("unsent.s", "words");
      await door.signIn("secret");
    },
  };
  for (const [name, leave] of Object.entries(ways)) {
    const { gate: door, shelf, forgotten } = gate("secret");
    await door.signIn("secret");
    shelf.set("unsent.s", "words");
    shelf.set("chat", "s");
    forgotten.times = 0;
    await leave(door, shelf);
    assert.deepEqual([shelf.get("unsent.s"), shelf.get("chat"), forgotten.times], [null, null, 1], name);
  }
});

test("who comes back with the same token, or finds the gateway away, finds all that was kept", async () => {
  const { gate: door, shelf } = gate("secret");
  await door.signIn("secret");
  shelf.set("draft.s", "words");
  await door.enter();
  await door.lose({ code: 1006, reason: "", error: null });
  assert.deepEqual([shelf.get("draft.s"), shelf.get("token")], ["words", "secret"]);
});

test("a connection to a session that is no more is let go of, at once and when it comes back", async () => {
  const { gate: door } = gate(null);
  let goneTimes = 0;
  const onGone = () => {
    goneTimes += 1;
  };
  await assert.rejects(door.openIn("watch", "deleted", {}, onGone), { code: "SESSION_NOT_FOUND" });
  const client = await door.openIn("watch", "s", {}, onGone);
  client.handlers.open();
  assert.deepEqual([client.isClosed, goneTimes], [false, 0]);
  client.sessionId = "a new one";
  client.handlers.open();
  assert.deepEqual([client.isClosed, goneTimes], [true, 1]);
});

test("as long as nobody knows what one may, nothing is withheld", () => {
  assert.equal(Permissions.unknown().lack("gateway.stats"), null);
  assert.match(new Permissions(new Set()).lack("agent.tool"), /agent\.tool/);
});

test("the WebSocket is at the page's own host and folder", () => {
  assert.equal(
    socketAddress({ protocol: "https:", host: "x.org", pathname: "/bamboo/index.html" }),
    "wss://x.org/bamboo/",
  );
  assert.equal(socketAddress({ protocol: "http:", host: "localhost:1", pathname: "/" }), "ws://localhost:1/");
});

test("where HTTP answers and the WebSocket does not, it is the origin or a proxy, unless the gateway is not ready", async () => {
  assert.equal(await diagnose(async () => ({ ok: true }), "readyz"), "origin");
  assert.equal(await diagnose(async () => ({ ok: false, status: 502 }), "readyz"), "away");
  assert.equal(await diagnose(async () => ({ ok: false, status: 503 }), "readyz"), "unready");
  assert.equal(
    await diagnose(async () => {
      throw new TypeError("failed");
    }, "readyz"),
    "away",
  );
});
