import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Cursors } from "./cursors.js";
import { MAX_CHANNEL_CURSORS } from "./protocol.js";

/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */
/** @typedef {import("./messages.js").Connect} Connect */
/** @typedef {import("./messages.js").Connected} Connected */
/** @typedef {import("./messages.js").Gap} Gap */
/** @typedef {import("./messages.js").AgentToken} AgentToken */

/** @type {Connect} */
const HELLO = { type: "connect", auth: "token", protocol: 2 };

/**
 * What a gateway greets with.
 *
 * @param {Partial<Connected>} [fields]
 * @returns {Connected}
 */
const connected = (fields) => ({ type: "connected", session_id: "s", epoch: "e1", last_seq: 0, resumed: false, ...fields });

/** @param {Partial<Connected>} [fields] */
function greeted(fields) {
  const cursors = new Cursors();
  cursors.greet(connected(fields));
  return cursors;
}

/**
 * An event of a log.
 *
 * @param {number} seq
 * @param {string} [channel]
 * @returns {GatewayEvent}
 */
const token = (seq, channel) => ({ type: "agent_token", session_id: "s", token: "x", seq, ...(channel && { channel }) });

/**
 * An event of a channel.
 *
 * @param {number} seq
 * @returns {GatewayEvent}
 */
const message = (seq, channel = "news") => ({ type: "channel_message", channel, content: "x", seq });

/**
 * Events are missing.
 *
 * @param {number} earliest
 * @param {number} latest
 * @param {{epoch?: string, channel?: string}} [fields]
 * @returns {GatewayEvent}
 */
const gap = (earliest, latest, fields) => ({ type: "gap", requested: 1, earliest, latest, epoch: "e1", ...fields });

/**
 * Those that are new.
 *
 * @param {Cursors} cursors
 * @param {...GatewayEvent} events
 */
const admitted = (cursors, ...events) => events.filter((event) => cursors.admit(event));

/**
 * Check what is sent in `connect`.
 *
 * @param {Cursors} cursors
 * @param {Partial<Connect>} expected
 */
function resumes(cursors, expected) {
  const { session_id, last_seq, epoch, channels } = { session_id: "s", last_seq: 0, epoch: "e1", channels: null, ...expected };
  const said = cursors.resume(HELLO);
  assert.deepEqual(
    { session_id: said.session_id, last_seq: said.last_seq, epoch: said.epoch, channels: said.channels },
    { session_id, last_seq, epoch, channels },
  );
}

/**
 * The page is loaded again: its cursor was kept as text.
 *
 * @param {Cursors} cursors
 */
const reloaded = (cursors) => new Cursors(JSON.parse(JSON.stringify(cursors.cursor)));

// ── what is asked for ────────────────────────────────────────────────────────

test("who has read nothing goes on where it came in", () => {
  resumes(greeted({ last_seq: 7 }), { last_seq: 7 });
});

test("the cursor follows the events, whatever else comes between them", () => {
  const cursors = greeted({ last_seq: 7 });
  admitted(cursors, token(8), { type: "pong", timestamp: 1 }, { type: "error", code: "QUEUE_FULL", message: "no" }, token(9));
  resumes(cursors, { last_seq: 9 });
});

test("each log has a cursor of its own, told by channel, whatever kind of event it is", () => {
  const cursors = greeted();
  admitted(cursors, token(1), token(40, "*"), message(5), message(9, "other"), message(6), token(2));
  resumes(cursors, { last_seq: 2, channels: { "*": 40, news: 6, other: 9 } });
});

test("a channel may be called like a property of every object", () => {
  const cursors = greeted();
  const odd = ["__proto__", "constructor", "toString"];
  for (const name of odd) assert.equal(cursors.admit(message(3, name)), true);
  const again = reloaded(cursors);
  again.greet(connected({ resumed: true }));
  for (const name of odd) assert.equal(again.admit(message(3, name)), false);
  assert.deepEqual(Object.keys(again.cursor.channels), odd);
});

test("what was asked for first is asked for again", () => {
  const said = greeted().resume({ ...HELLO, replay: "exact", temporary: true });
  assert.deepEqual([said.auth, said.replay, said.temporary], ["token", "exact", true]);
});

test("a client of many channels keeps a bounded number of cursors: those it heard from last, and the broadcasts'", () => {
  const cursors = greeted();
  admitted(cursors, token(1, "*"));
  for (let number = 0; number < MAX_CHANNEL_CURSORS + 5; number++) cursors.admit(message(1, `c${number}`));
  const names = Object.keys(cursors.resume(HELLO).channels ?? {});
  assert.equal(names.length, MAX_CHANNEL_CURSORS);
  assert(names.includes("*") && names.includes(`c${MAX_CHANNEL_CURSORS + 4}`) && !names.includes("c0"));
});

test("a first connect without a cursor asks for none", () => {
  const said = new Cursors().resume(HELLO);
  assert.deepEqual([said.session_id, said.last_seq, said.epoch, said.channels], [null, null, null, null]);
});

// ── what is new ──────────────────────────────────────────────────────────────

test("what was seen is not new; other logs' cursors say nothing of it", () => {
  const events = [token(2), token(3), token(3), token(1, "*"), token(5), token(4), message(5), message(5)];
  const fresh = admitted(greeted({ last_seq: 2 }), ...events);
  assert.deepEqual(fresh, [token(3), token(1, "*"), token(5), message(5)]);
});

test("what is in no log is always new", () => {
  /** @type {GatewayEvent[]} */
  const events = [
    { type: "pong", timestamp: 1 },
    { type: "error", code: "QUEUE_FULL", message: "no" },
    { type: "presence", session_id: "s", event: "left", connection_id: "c", user_id: "u", watchers: 1 },
  ];
  for (const event of events) assert.deepEqual(admitted(greeted(), event, event), [event, event]);
});

test("a gap moves the cursor to before what can still be had, in the epoch that it names", () => {
  const cursors = greeted({ last_seq: 2 });
  assert.deepEqual(admitted(cursors, gap(7, 9), token(6), token(7)), [gap(7, 9), token(7)]);
  const anew = gap(1, 3, { epoch: "e2" });
  assert.deepEqual(admitted(cursors, anew, token(1)), [anew, token(1)]);
  resumes(cursors, { last_seq: 1, epoch: "e2" });
});

test("a gap in a channel leaves the session alone", () => {
  const missing = gap(7, 9, { channel: "news" });
  const events = admitted(greeted({ last_seq: 2 }), missing, message(7), token(2), token(3));
  assert.deepEqual(events, [missing, message(7), token(3)]);
});

for (const [earliest, latest, isNew] of /** @type {const} */ ([[3, 9, false], [6, 5, false], [7, 9, true], [1, 4, true]])) {
  test(`a gap in what was seen is none: ${earliest} to ${latest}`, () => {
    assert.equal(greeted({ last_seq: 5 }).admit(gap(earliest, latest)), isNew);
  });
}

// ── coming back ──────────────────────────────────────────────────────────────

test("in a resumed session the cursors stay", () => {
  const cursors = greeted();
  admitted(cursors, token(4), message(2));
  cursors.greet(connected({ last_seq: 6, resumed: true }));
  assert.deepEqual(admitted(cursors, token(4), token(5), message(2)), [token(5)]);
  resumes(cursors, { last_seq: 5, channels: { news: 2 } });
});

test("in a new session the cursors begin anew, but for the broadcasts'", () => {
  const cursors = greeted();
  admitted(cursors, token(4), message(2), token(3, "*"));
  cursors.greet(connected({ session_id: "t", last_seq: 1 }));
  assert.deepEqual(admitted(cursors, token(2), message(1), token(3, "*")), [token(2), message(1)]);
  resumes(cursors, { session_id: "t", last_seq: 2, channels: { "*": 3, news: 1 } });
});

test("a new epoch counts only once its gap was told", () => {
  const cursors = greeted();
  admitted(cursors, token(4));
  cursors.greet(connected({ epoch: "e2", resumed: true }));
  resumes(cursors, { last_seq: 4 });
  admitted(cursors, gap(1, 0, { epoch: "e2" }));
  resumes(cursors, { epoch: "e2" });
});

test("where only some logs have told of their gap all do so again, exactly, and what was seen is not shown again", () => {
  const cursors = greeted();
  admitted(cursors, token(4), message(3));
  cursors.greet(connected({ epoch: "e2", last_seq: 2, resumed: true }));
  const own = gap(1, 2, { epoch: "e2" });
  admitted(cursors, own, token(1));
  resumes(cursors, { last_seq: 0, channels: { news: 3 } });
  assert.equal(cursors.resume(HELLO).replay, "exact");
  cursors.greet(connected({ epoch: "e2", last_seq: 2, resumed: true }));
  const news = gap(1, 1, { epoch: "e2", channel: "news" });
  assert.deepEqual(admitted(cursors, own, news, token(1), token(2), message(1)), [news, token(2), message(1)]);
  resumes(cursors, { last_seq: 2, epoch: "e2", channels: { news: 1 } });
});

test("a channel that is joined anew in a new epoch is heard from its first event on", () => {
  const cursors = greeted();
  admitted(cursors, message(7));
  cursors.greet(connected({ epoch: "e2", resumed: true }));
  const own = gap(1, 0, { epoch: "e2" });
  assert.deepEqual(admitted(cursors, own, message(1), message(1), message(2)), [own, message(1), message(2)]);
});

test("a log of which nothing was heard has a beginning", () => {
  const cursors = greeted({ epoch: "e", channels: { "*": 4, news: 0 } });
  resumes(cursors, { epoch: "e", channels: { "*": 4, news: 0 } });
  assert.deepEqual(admitted(cursors, token(4, "*"), token(5, "*")), [token(5, "*")]);
  cursors.greet(connected({ epoch: "e", resumed: true, channels: { "*": 9, news: 2, b: 7 } }));
  resumes(cursors, { epoch: "e", channels: { news: 0, "*": 5, b: 7 } });
});

// ── a page that is loaded again ──────────────────────────────────────────────

test("a cursor that was kept goes on where it was", () => {
  const cursors = greeted({ channels: { "*": 4 } });
  admitted(cursors, token(4), message(2));
  const kept = cursors.cursor;
  assert.deepEqual(kept, { sessionId: "s", lastSeq: 4, epoch: "e1", channels: { "*": 4, news: 2 } });
  const again = reloaded(cursors);
  resumes(again, { last_seq: 4, channels: { "*": 4, news: 2 } });
  again.greet(connected({ resumed: true, last_seq: 9 }));
  assert.deepEqual(admitted(again, token(4), token(5), message(2), message(3)), [token(5), message(3)]);
});

test("one that is kept between two epochs says so, and resumes as the page that kept it would have", () => {
  const cursors = greeted();
  admitted(cursors, token(4), message(2));
  cursors.greet(connected({ epoch: "e2", resumed: true }));
  admitted(cursors, gap(1, 1, { epoch: "e2" }), token(1));
  assert.deepEqual(cursors.cursor.epochs, { gateway: "e2", channels: { news: "e1" } });
  assert.deepEqual(reloaded(cursors).resume(HELLO), cursors.resume(HELLO));
});

test("a number that came without an epoch is taken for the gateway's own", () => {
  const cursors = new Cursors({ sessionId: "s", lastSeq: 3 });
  cursors.greet(connected({ resumed: true, last_seq: 5, channels: { "*": 0 } }));
  assert.deepEqual(admitted(cursors, token(3), token(4)), [token(4)]);
  resumes(cursors, { last_seq: 4, channels: { "*": 0 } });
});

// ── for all that can happen ──────────────────────────────────────────────────

/** @typedef {string | null} LogName */
const LOGS = /** @type {LogName[]} */ ([null, "*", "news"]);

/** Logs that grow, forget and begin anew, in the words of the protocol's document. */
class Gateway {
  generation = 1;
  /** @type {Array<AgentToken | Gap>} What the connection that is open now has yet to deliver. */
  live = [];
  logs = new Map(LOGS.map((name) => [name, { first: 1, last: 0 }]));

  get epoch() {
    return `e${this.generation}`;
  }

  /** @param {LogName} name */
  log(name) {
    return /** @type {{first: number, last: number}} */ (this.logs.get(name));
  }

  /** @param {LogName} name */
  say(name) {
    this.log(name).last += 1;
    this.live.push(this.#event(name, this.log(name).last));
  }

  /** @param {LogName} name */
  forget(name) {
    const log = this.log(name);
    log.first = Math.min(log.first + 1, log.last + 1);
  }

  restart() {
    this.generation += 1;
    const turn = this.generation % LOGS.length; // any of them may be the first to tell of its gap
    const names = [...LOGS.slice(turn), ...LOGS.slice(0, turn)];
    this.logs = new Map(names.map((name) => [name, { first: 1, last: 0 }]));
  }

  /**
   * Greet, and have what was missed delivered: gaps first, then events.
   *
   * @param {Connect} hello
   */
  connect(hello) {
    this.live = [];
    /** @type {AgentToken[]} */
    const events = [];
    for (const [name, log] of this.logs) {
      let after = name === null ? hello.last_seq : hello.channels?.[name];
      if (after == null) continue;
      const isForeign = hello.epoch != null && hello.epoch !== this.epoch;
      if (isForeign || after > log.last || after + 1 < log.first) {
        const { first: earliest, last: latest } = log;
        this.live.push({ type: "gap", requested: after + 1, earliest, latest, epoch: this.epoch, channel: name });
        after = log.first - 1;
      }
      for (let seq = after + 1; seq <= log.last; seq++) events.push(this.#event(name, seq));
    }
    this.live.push(...events);
    return connected({ resumed: true, epoch: this.epoch, last_seq: this.log(null).last });
  }

  /**
   * @param {LogName} channel
   * @param {number} seq
   * @returns {AgentToken} Its text tells what it is for good.
   */
  #event(channel, seq) {
    return { type: "agent_token", session_id: "s", token: this.epoch, seq, channel };
  }
}

/** A client, and all that it has shown. */
class Line {
  /** @type {Array<AgentToken | Gap>} */
  shown = [];

  /** @param {Gateway} gateway */
  constructor(gateway) {
    this.gateway = gateway;
    this.cursors = new Cursors();
    this.reconnect();
  }

  /** @param {number} count */
  deliver(count) {
    for (const event of this.gateway.live.splice(0, count)) if (this.cursors.admit(event)) this.shown.push(event);
  }

  /** The connection breaks, with whatever was on its way, and another one opens. */
  reconnect() {
    this.cursors.greet(this.gateway.connect(this.cursors.resume({ type: "connect", protocol: 2 })));
  }

  /** The same, in a page that was loaded again. */
  reload() {
    this.cursors = reloaded(this.cursors);
    this.reconnect();
  }

  /**
   * What is wrong with what was shown of a log: doubled, out of order, or missing without a word.
   *
   * @param {LogName} name
   */
  holes(name) {
    const wrong = [];
    let [epoch, seq] = ["e1", 0];
    for (const event of this.shown.filter((each) => (each.channel ?? null) === name)) {
      if (event.type === "gap") {
        const before = event.earliest - 1;
        if (event.epoch === epoch && before <= seq && seq <= event.latest) wrong.push(`needless ${JSON.stringify(event)}`);
        [epoch, seq] = [event.epoch, before];
        continue;
      }
      const isFirst = name !== null && seq === 0; // where a log without a cursor is heard from
      if (event.token !== epoch && !isFirst) wrong.push(`an epoch without a gap: ${JSON.stringify(event)}`);
      else if (event.seq !== seq + 1 && !isFirst) wrong.push(`${JSON.stringify(event)} after ${seq}`);
      [epoch, seq] = [event.token, event.seq ?? 0];
    }
    const { last } = this.gateway.log(name);
    if (seq !== last && (name === null || seq > 0)) wrong.push(`ends at ${seq} of ${last}`);
    return wrong;
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ step: fc.constant("say"), log: fc.constantFrom(...LOGS) }),
    fc.record({ step: fc.constant("cut"), log: fc.constantFrom(...LOGS) }), // the log forgets its oldest event
    fc.record({ step: fc.constant("deliver"), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ step: fc.constantFrom("break", "reload", "restart") }),
  ),
  { maxLength: 60, size: "max" },
);

test("each event is seen once and in order, or a gap tells, however connections, pages, logs and epochs come and go", () => {
  const law = fc.property(steps, (script) => {
    const gateway = new Gateway();
    const line = new Line(gateway);
    for (const { step, ...what } of script) {
      const { log = null, count = 0 } = /** @type {{log?: LogName, count?: number}} */ (what);
      if (step === "say") gateway.say(log);
      else if (step === "cut") gateway.forget(log);
      else if (step === "deliver") line.deliver(count);
      else if (step === "break") line.reconnect();
      else if (step === "reload") line.reload();
      else {
        gateway.restart();
        line.reconnect();
      }
    }
    line.reconnect();
    line.deliver(10_000);
    for (const name of LOGS) assert.deepEqual(line.holes(name), []);
  });
  fc.assert(law, { numRuns: 2000 });
});
