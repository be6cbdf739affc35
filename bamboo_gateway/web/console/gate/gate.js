// The way in: the control connection, which asks and commands for every view, and what is shown until there is one.
import { signal } from "../../vendor/signals/signals.js";
import { ClosedError, RefusedError } from "../../client/bamboo.js";
import { trouble } from "../text/advice.js";
import { retryTime } from "./retry_time.js";
import { Permissions } from "./permissions.js";

/** @typedef {import("../../client/bamboo.js").Client} Client */
/** @typedef {import("../shell/shelf.js").Shelf} Shelf */
/** @typedef {{phase: "connecting"}
 *   | {phase: "sign-in", reason: string | null, retryAfter: number | null, busy: boolean}
 *   | {phase: "away", problem: import("./reach.js").Problem, detail: string}
 *   | {phase: "open", client: Client}} GateState */

/** What the gateway is told of this page; others see it in `presence`. */
export const CLIENT = { name: "bamboo-console", version: "1" };

/** Seconds. A page comes back for as long as it is open. The first tries come soon: most outages are a restart. */
export const RECONNECT = { firstInterval: 0.5, maxInterval: 15, giveUpTimeout: null };

/**
 * Holds the control connection. Invariant: the token is in this tab's storage only
 * while the gateway accepts it, and so is whatever else the tab keeps of who has shown it.
 */
export class Gate {
  /**
   * @param {{
   *   url: string,
   *   connect: typeof import("../../client/bamboo.js").connect,
   *   diagnose: () => Promise<import("./reach.js").Problem>,
   *   shelf: Shelf,
   *   onClient: (client: Client, label: string) => void,
   *   onForget: () => void,
   * }} parts *onClient* is told of every client that is opened, by what it is for; *onForget*, when whoever
   *   was here is no longer: what comes may be somebody else.
   */
  constructor(parts) {
    this.parts = parts;
    this.state = signal(/** @type {GateState} */ ({ phase: "connecting" }));
    this.permissions = signal(Permissions.unknown());
    this.userId = signal(/** @type {string | null} */ (null));
    /** The state of the control connection: "open", "reconnecting", or "closed". */
    this.link = signal(/** @type {"open" | "reconnecting" | "closed"} */ ("closed"));
    /** When the control connection tries again, by the page's clock in Unix milliseconds. */
    this.retryAt = signal(/** @type {number | null} */ (null));
    /** Has this page shown tokens that were none? Too many, and no WebSocket comes about from this address. */
    this.hasGuessed = false;
  }

  /** The control connection. @returns {Client | null} */
  get client() {
    const state = this.state.value;
    return state.phase === "open" ? state.client : null;
  }

  get token() {
    return this.parts.shelf.get("token");
  }

  get isSignedIn() {
    return this.token !== null;
  }

  /** Try to come in, with the token of this tab if there is one. */
  async enter() {
    this.state.value = { phase: "connecting" };
    await this.admit(this.token);
  }

  /** Try to come in with *token*. @param {string} token */
  async signIn(token) {
    this.state.value = { phase: "sign-in", reason: null, retryAfter: null, busy: true };
    await this.admit(token);
  }

  /** Forget the token and leave. */
  async signOut() {
    const client = this.client;
    this.forget();
    this.state.value = { phase: "sign-in", reason: "You have signed out.", retryAfter: null, busy: false };
    await client?.close();
  }

  /** Forget the token and all that was kept for who has shown it: words to be sent would be the next one's. */
  forget() {
    this.parts.shelf.clear();
    this.parts.onForget();
  }

  /**
   * Run a command over the control connection.
   *
   * @param {string} name @param {object | null} [args]
   * @returns {Promise<any>}
   */
  async command(name, args = null) {
    const client = this.client;
    if (!client) throw new ClosedError(1006, "there is no connection to the gateway");
    return client.command(name, args);
  }

  /**
   * Open one more connection, for *label*, with the same token. It is the caller's to close.
   *
   * @param {string} label @param {object} options As `connect` takes them.
   * @returns {Promise<Client>}
   */
  async open(label, options) {
    const client = await this.parts.connect(this.parts.url, {
      ...this.credentials(this.token),
      client: CLIENT,
      reconnect: RECONNECT,
      ...options,
    });
    this.parts.onClient(client, label);
    return client;
  }

  /**
   * Open a connection to a session that there is. It lets go of one that comes back to another session, since
   * a gateway opens a new one for an id that it does not know.
   *
   * @param {string} label @param {string} sessionId @param {object} options As `connect` takes them.
   * @param {() => void} onGone The session was there and is no more.
   * @returns {Promise<Client>}
   */
  async openIn(label, sessionId, options, onGone) {
    const client = await this.open(label, { sessionId, temporary: true, ...options });
    if (client.sessionId !== sessionId) {
      void client.close();
      throw gone();
    }
    client.on("open", () => {
      if (client.sessionId === sessionId) return;
      void client.close();
      onGone();
    });
    return client;
  }

  /** Have the gateway open a session, as `connect` does for whoever names none. @returns {Promise<string>} Its id. */
  async openSession() {
    const client = await this.open("session", {});
    const { sessionId } = client;
    await client.close();
    return sessionId;
  }

  /** @param {string | null} token */
  async admit(token) {
    try {
      const client = await this.parts.connect(this.parts.url, {
        ...this.credentials(token),
        temporary: true,
        client: CLIENT,
        reconnect: RECONNECT,
      });
      if (token !== this.token) this.forget();
      this.parts.shelf.set("token", token);
      await this.begin(client);
    } catch (error) {
      await this.refuse(error, token);
    }
  }

  /** @param {string | null} token */
  credentials(token) {
    return token === null ? {} : { token };
  }

  /** @param {Client} client */
  async begin(client) {
    let end = null; // of the client, if it comes before anybody knows of it
    client.on("closed", (event) => (end = event));
    this.parts.onClient(client, "control");
    this.follow(client);
    const [permissions, userId] = await Promise.all([Permissions.ask(client), whoAmI(client)]);
    if (end) return this.lose(end);
    this.permissions.value = permissions;
    this.userId.value = userId;
    this.link.value = client.state;
    this.state.value = { phase: "open", client };
  }

  /** @param {Client} client */
  follow(client) {
    client.on("open", () => {
      this.link.value = "open";
      this.retryAt.value = null;
    });
    client.on("disconnected", (event) => {
      this.link.value = "reconnecting";
      this.retryAt.value = retryTime(event.retryIn);
    });
    client.on("retry", (event) => {
      this.retryAt.value = retryTime(event.retryIn);
    });
    client.on("closed", (event) => {
      this.link.value = "closed";
      if (this.client === client) void this.lose(event);
    });
  }

  /** The control connection is over, and will not come back by itself. @param {any} event */
  async lose(event) {
    if (event.error instanceof RefusedError || event.code === 4001 || event.code === 4006) {
      this.forget();
      const said = event.error instanceof RefusedError ? event.error.message : event.reason;
      this.askForToken(`You were signed out: ${said || "the token was revoked or has expired"}.`, null);
      return;
    }
    await this.turnAway(event.error ?? new Error(event.reason || `the connection closed with ${event.code}`));
  }

  /** @param {any} error @param {string | null} token */
  async refuse(error, token) {
    if (!(error instanceof RefusedError)) return this.turnAway(error);
    const { code, message, retryAfter } = error;
    if (code === "UNAUTHORIZED") {
      this.forget();
      this.hasGuessed ||= token !== null;
      return this.askForToken(token === null ? null : "This token is not accepted. Check it and try again.", null);
    }
    if (code === "RATE_LIMITED") return this.askForToken(message, retryAfter ?? null);
    return this.turnAway(error);
  }

  /** @param {string | null} reason @param {number | null} retryAfter */
  askForToken(reason, retryAfter) {
    this.state.value = { phase: "sign-in", reason, retryAfter, busy: false };
  }

  /** @param {any} error */
  async turnAway(error) {
    const said = trouble(error);
    const found = error instanceof RefusedError ? "refused" : await this.parts.diagnose();
    const problem = found === "origin" && this.hasGuessed ? "blocked" : found;
    this.state.value = { phase: "away", problem, detail: said.code ? `${said.message} (${said.code})` : said.message };
  }
}

/** As the gateway says it to a command. */
export function gone() {
  return Object.assign(new Error("the gateway has no such session"), { code: "SESSION_NOT_FOUND" });
}

/** @param {Client} client @returns {Promise<string | null>} Null: the token may not ask. */
async function whoAmI(client) {
  try {
    return (await client.command("session.get")).user_id;
  } catch {
    return null;
  }
}
