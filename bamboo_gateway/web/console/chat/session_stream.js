// One session as this tab follows it: its connection, its conversation, and what this tab has said.
import { batch, effect, signal, untracked } from "../../vendor/signals/signals.js";
import { NoReplyError, RefusedError } from "../../client/bamboo.js";
import { gone } from "../gate/gate.js";
import { retryTime } from "../gate/retry_time.js";
import { newId } from "../shell/new_id.js";
import { trouble } from "../text/advice.js";
import { excerpt, plural } from "../text/format.js";
import { answerText, applied, fromHistory, hasChat, NOTHING, prepend, reloaded, runningTurn } from "./conversation.js";
import { OwnWords } from "./own_words.js";
import { Pace } from "./pace.js";

/** @typedef {import("../../client/bamboo.js").Client} Client */
/** @typedef {{id: string, content: string, state: "sending" | "refused", trouble: import("../text/advice.js").Trouble | null}} Pending */
/** @typedef {{phase: "opening"} | {phase: "open"} | {phase: "ended", reason: string} | {phase: "failed", error: unknown}} StreamState */

/** Messages of one page of the history. */
const PAGE = 50;

/** Characters of an answer that are read aloud at once. */
const SPOKEN = 600;

/** Events that wait for a page of the history. Where more come, it is read once more instead: it has them. */
export const MAX_WAITING = 5000;

/**
 * Follows a session until it is closed, or fails. Invariant: `conversation` never goes back
 * and has no hole without a note; what comes while a page of the history is on its way
 * waits in `inbox`, and only one page at a time is.
 */
export class SessionStream {
  /** @param {import("../desk.js").Desk} desk @param {string} sessionId */
  constructor(desk, sessionId) {
    this.desk = desk;
    this.sessionId = sessionId;
    this.words = new OwnWords(desk.shelf, sessionId);
    this.state = signal(/** @type {StreamState} */ ({ phase: "opening" }));
    this.link = signal(/** @type {"open" | "reconnecting" | "closed"} */ ("closed"));
    this.retryAt = signal(/** @type {number | null} */ (null));
    this.info = signal(/** @type {any} */ (null));
    this.watchers = signal(/** @type {readonly any[]} */ ([]));
    this.conversation = signal(NOTHING);
    this.pending = signal(/** @type {readonly Pending[]} */ ([]));
    this.note = signal(/** @type {string | null} */ (null));
    this.isLoadingOlder = signal(false);
    /** The gateway has said that it is about to stop. */
    this.isStopping = signal(false);
    this.inbox = /** @type {any[]} */ ([]);
    this.isLoading = true;
    /** Between the page that is on its way and `inbox` events may be missing. */
    this.isStale = false;
    /** What is yet to be told of events that nobody can send again. */
    this.hole = /** @type {import("./conversation.js").GapNote | null} */ (null);
    /** What the events are counted in. */
    this.epoch = /** @type {string | null} */ (null);
    this.isClosed = false;
    this.brokenAt = /** @type {number | null} */ (null);
    this.client = /** @type {Client | null} */ (null);
    this.pace = new Pace(() => this.flush());
    this.onPageHide = () => this.keepPlace();
    this.stopNetwork = effect(() => this.heed(desk.network.isOnline.value));
    this.stopGate = effect(() => this.followGate(desk.gate.link.value));
  }

  // ── opening and closing ────────────────────────────────────────────────────

  async open() {
    this.state.value = { phase: "opening" };
    this.isLoading = true;
    try {
      // `connect` would open a new session for an id that is unknown.
      this.info.value = await this.desk.gate.command("session.get", { session_id: this.sessionId });
      const client = await this.desk.gate.open("session", { sessionId: this.sessionId, temporary: true });
      if (this.isClosed) return void client.close();
      this.client = client;
      if (client.sessionId !== this.sessionId) throw gone();
      this.epoch = client.connected.epoch ?? null;
      this.follow(client);
      await this.load();
      this.state.value = { phase: "open" };
      this.link.value = "open";
      this.tellOfReload();
      this.sendAgain();
      void this.countWatchers();
      window.addEventListener("pagehide", this.onPageHide);
    } catch (error) {
      this.fail(error);
    }
  }

  /** It cannot go on; who opens it again begins anew. @param {unknown} error */
  fail(error) {
    if (this.isClosed || this.isOver()) return;
    this.inbox = [];
    this.state.value = { phase: "failed", error };
    void this.client?.close();
  }

  isOver() {
    const { phase } = this.state.value;
    return phase === "ended" || phase === "failed";
  }

  close() {
    this.keepPlace();
    this.isClosed = true;
    this.stopNetwork();
    this.stopGate();
    window.removeEventListener("pagehide", this.onPageHide);
    void this.client?.close();
  }

  /** @param {Client} client */
  follow(client) {
    client.on("*", (event) => this.take(event));
    client.on("open", () => this.comeBack(client));
    client.on("disconnected", (event) => {
      this.brokenAt ??= client.cursor.lastSeq ?? this.conversation.value.seq;
      batch(() => {
        this.link.value = "reconnecting";
        this.retryAt.value = retryTime(event.retryIn);
        this.note.value = null;
        this.isStopping.value = false;
      });
    });
    client.on("shutdown", () => {
      this.isStopping.value = true;
    });
    client.on("retry", (event) => {
      this.retryAt.value = retryTime(event.retryIn);
    });
    client.on("closed", (event) => {
      this.link.value = "closed";
      this.fail(event.error ?? new Error(event.reason || `the connection closed with ${event.code}`));
    });
  }

  // ── events ─────────────────────────────────────────────────────────────────

  /** @param {any} event */
  take(event) {
    if (event.type === "presence") return void this.countWatchers();
    if (event.type === "session_ended" && event.session_id === this.sessionId) return this.end(event.reason);
    if (event.type === "gap" && !event.channel) return void this.mendGap(event);
    if (event.type === "error" && typeof event.seq !== "number")
      return this.desk.toasts.failed("The gateway says", event);
    if (this.isOver()) return;
    this.inbox.push(event);
    if (!this.isLoading) return this.pace.ask();
    if (this.inbox.length > MAX_WAITING) this.missAll();
  }

  /** Drop what waits for a page: the page that is read next has it. */
  missAll() {
    this.inbox = [];
    this.isStale = true;
  }

  /** Apply all that has come. */
  flush() {
    if (this.isLoading) return;
    const events = this.inbox.splice(0);
    const before = this.conversation.value;
    const after = applied(before, events);
    if (after === before) return;
    batch(() => {
      this.conversation.value = after;
      const arrived = this.pending.value.filter(({ id }) => hasChat(after, id));
      for (const { id } of arrived) this.settle(id);
    });
    for (const event of events) this.announce(event, before.seq);
  }

  /** @param {any} event @param {number} from */
  announce(event, from) {
    if (event.channel || event.seq <= from) return;
    if (event.type === "error") this.desk.announcer.say(`The answer ended: ${event.message}`);
    if (event.type !== "agent_complete") return;
    const turn = this.conversation.value.items.find((item) => item.kind === "turn" && item.runId === event.run_id);
    if (turn?.kind === "turn") this.desk.announcer.say(`The agent answered: ${excerpt(answerText(turn), SPOKEN)}`);
  }

  /** @param {string} reason */
  end(reason) {
    this.flush();
    this.state.value = { phase: "ended", reason };
    void this.client?.close();
  }

  /** Read the newest page and show it; then what came meanwhile. If it rejects, there is a hole: the stream must fail. */
  async load() {
    this.isLoading = true;
    let page;
    do {
      this.isStale = false;
      page = await this.ask("session.history", { limit: PAGE });
    } while (this.isStale);
    this.conversation.value = this.hole ? reloaded(page, this.hole) : fromHistory(page);
    this.hole = null;
    this.isLoading = false;
    this.flush();
  }

  /** Events have left the log before this tab had them: what they did is in the history. @param {any} gap */
  async mendGap(gap) {
    if (this.isOver()) return;
    this.flush();
    this.missAll(); // it may be of another epoch, with numbers that mean nothing now
    this.brokenAt = null;
    this.note.value = null;
    if (this.state.value.phase === "open") {
      this.hole = this.noteOf(gap);
      this.desk.announcer.say("The gateway's log has a gap: the conversation is read again from its history.");
    }
    this.epoch = gap.epoch;
    if (this.isLoading) return; // whoever loads sees that it is stale, and reads once more
    this.isLoading = true;
    try {
      this.info.value = await this.ask("session.get", null);
      await this.load();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Tells of a gap, and of one before it that is not told yet. @param {any} gap @returns {import("./conversation.js").GapNote} */
  noteOf(gap) {
    const isKnown = gap.epoch === this.epoch && this.hole?.count !== null;
    return {
      kind: "gap",
      key: `gap-${gap.epoch}-${gap.requested}-${gap.earliest}`,
      count: isKnown ? (this.hole?.count ?? 0) + Math.max(0, gap.earliest - gap.requested) : null,
    };
  }

  /** The connection is there again. @param {Client} client */
  comeBack(client) {
    const from = this.brokenAt;
    this.brokenAt = null;
    batch(() => {
      this.link.value = "open";
      this.retryAt.value = null;
      if (client.sessionId !== this.sessionId) return this.end("the gateway no longer has it");
      if (from === null) return;
      const missed = Math.max(0, (client.connected.last_seq ?? from) - from);
      this.tellOfResume(missed);
    });
    void this.countWatchers();
    if (this.desk.gate.link.value === "reconnecting") this.desk.gate.client?.reconnectNow(); // the way is free
  }

  /** The network is gone, or there again; the connection may outlive that. @param {boolean} isOnline */
  heed(isOnline) {
    untracked(() => {
      if (this.state.value.phase !== "open") return;
      if (!isOnline) this.brokenAt ??= this.conversation.value.seq;
      else if (this.brokenAt !== null && this.link.value === "open") void this.catchUp();
    });
  }

  /** Where the other connection is back, this one's way is free as well. @param {string} link */
  followGate(link) {
    untracked(() => {
      if (link === "open" && this.link.value === "reconnecting") this.client?.reconnectNow();
    });
  }

  /** The connection has outlived it: what was held up is there before the answer to a question. */
  async catchUp() {
    try {
      await this.ask("ping", null);
    } catch (error) {
      // A refusal is an answer, too. Without any nothing can be told; a line that is lost is `comeBack`'s.
      if (!(error instanceof RefusedError)) {
        if (this.link.value === "open") this.brokenAt = null;
        return;
      }
    }
    const from = this.brokenAt;
    if (from === null) return; // it had not, and `comeBack` has told
    this.flush();
    this.brokenAt = null;
    this.tellOfResume(this.conversation.value.seq - from);
  }

  /** @param {number} missed */
  tellOfResume(missed) {
    const caught = missed === 0 ? "nothing happened meanwhile" : `${plural(missed, "event")} caught up`;
    this.note.value = `Resumed — nothing was lost (${caught}).`;
    this.desk.announcer.say(this.note.value);
  }

  tellOfReload() {
    const seen = this.words.takeSeen();
    if (!seen || seen.epoch !== this.client?.connected.epoch) return;
    const missed = this.conversation.value.seq - seen.seq;
    if (seen.isRunning && missed >= 0) this.tellOfResume(missed);
  }

  keepPlace() {
    const { epoch } = this.client?.connected ?? {};
    if (this.state.value.phase !== "open" || !epoch) return;
    this.words.keepSeen(this.conversation.value.seq, epoch, runningTurn(this.conversation.value) !== null);
  }

  // ── what a person does ─────────────────────────────────────────────────────

  /** @param {string} content */
  send(content) {
    const words = { id: newId(), content };
    this.note.value = null;
    this.words.unsent = [...this.words.unsent, words];
    void this.say(words);
  }

  /** What was not taken before the page was reloaded; the id tells the gateway that it is the same. */
  sendAgain() {
    for (const words of this.words.unsent) void this.say(words);
  }

  /** @param {string} id Of what was refused. */
  retry(id) {
    const words = this.pending.value.find((each) => each.id === id);
    if (words) void this.say({ id, content: words.content });
  }

  /** Take it back; returns what it said. @param {string} id @returns {string} */
  discard(id) {
    const content = this.pending.value.find((each) => each.id === id)?.content ?? "";
    this.settle(id);
    return content;
  }

  /** @param {import("./own_words.js").Words} words @returns {Promise<void>} */
  async say({ id, content }) {
    const pending = /** @type {Pending} */ ({ id, content, state: "sending", trouble: null });
    const others = this.pending.value.filter((each) => each.id !== id);
    this.pending.value = [...others, pending];
    try {
      const accepted = await this.session().chat(content, { id });
      this.words.claim(accepted.run_id);
      this.flush();
      this.settle(id);
    } catch (error) {
      if (this.isClosed) return; // it stays among the unsent
      if (error instanceof NoReplyError) return this.say({ id, content }); // offline for long, say
      this.pending.value = this.pending.value.map((each) =>
        each.id === id ? { ...each, state: "refused", trouble: trouble(error) } : each,
      );
      if (error instanceof RefusedError) this.words.unsent = this.words.unsent.filter((each) => each.id !== id);
    }
  }

  /** It is in the conversation, or given up. @param {string} id */
  settle(id) {
    this.pending.value = this.pending.value.filter((each) => each.id !== id);
    this.words.unsent = this.words.unsent.filter((each) => each.id !== id);
    const turn = this.conversation.value.items.find((item) => item.kind === "turn" && item.said?.chatId === id);
    if (turn?.kind === "turn") this.words.claim(turn.runId);
  }

  /** @param {string | null} runId Null: all that run or wait. */
  async abort(runId) {
    try {
      await this.ask("session.abort", runId === null ? {} : { run_id: runId });
    } catch (error) {
      this.desk.toasts.failed("The turn could not be aborted", error);
    }
  }

  async loadOlder() {
    const { first, hasMore } = this.conversation.value;
    if (!hasMore || this.isLoadingOlder.value) return;
    this.isLoadingOlder.value = true;
    try {
      const page = await this.ask("session.history", { limit: PAGE, before: first });
      if (this.conversation.value.first === first) this.conversation.value = prepend(this.conversation.value, page);
    } catch (error) {
      this.desk.toasts.failed("Older messages could not be read", error);
    } finally {
      this.isLoadingOlder.value = false;
    }
  }

  /** Read anew what others may have changed: the name, one's access. */
  async refresh() {
    if (this.state.value.phase !== "open" || this.link.value !== "open") return;
    this.info.value = await this.ask("session.get", null);
  }

  async countWatchers() {
    try {
      this.watchers.value = (await this.ask("presence.list", null)).watchers;
    } catch {
      // It is asked again when somebody comes or goes.
    }
  }

  /** @param {string} command @param {object | null} args @returns {Promise<any>} */
  ask(command, args) {
    return this.session().command(command, args);
  }

  /** @returns {Client} */
  session() {
    if (!this.client) throw gone();
    return this.client;
  }
}
