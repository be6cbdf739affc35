// What stands in for the world in the tests beside it: a clock, a network and a page. It has no tests of its own.

/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./surroundings.js").Surroundings} Surroundings */
/** @typedef {import("./messages.js").GatewayEvent} GatewayEvent */

/** Let all that is ready run: promises, and tasks behind them. */
export const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/**
 * A clock that moves only when it is told to.
 *
 * @implements {Clock}
 */
export class FakeClock {
  time = 1000;
  /** @type {Set<{due: number, action: () => void}>} */
  timers = new Set();

  now = () => this.time;

  /**
   * @param {number} seconds
   * @param {() => void} action
   */
  after = (seconds, action) => {
    const timer = { due: this.time + Math.max(0, seconds), action };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };

  /** @param {() => void} action */
  inNextTask = (action) => void setImmediate(action);

  /**
   * Let *seconds* go by, and every timer act when it is due.
   *
   * @param {number} seconds
   */
  async pass(seconds) {
    const end = this.time + seconds;
    await settled();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.time = Math.max(this.time, timer.due);
      this.timers.delete(timer);
      timer.action();
      await settled();
    }
    this.time = end;
  }

  /**
   * Let *seconds* go by in which no timer acts, as in a frozen page; then those that are late act.
   *
   * @param {number} seconds
   */
  async freeze(seconds) {
    this.time += seconds;
    await this.pass(0);
  }

  /** @param {number} end */
  #next(end) {
    return [...this.timers].filter((timer) => timer.due <= end).sort((one, other) => one.due - other.due)[0];
  }
}

/** The other end of a socket: what a gateway would do, done by the test. */
export class FakeSocket {
  /** @type {FakeSocket[]} */
  static made = [];
  readyState = 0;
  binaryType = "";
  /** @type {Array<Record<string, any>>} */
  sent = [];
  /** @type {number | null} */
  closedWith = null;
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeSocket.made.push(this);
  }

  /** The one that was opened last. */
  static get last() {
    const socket = FakeSocket.made.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  /** @param {number} code */
  close(code) {
    this.readyState = 2;
    this.closedWith = code;
  }

  /** The handshake is through. */
  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** @param {GatewayEvent} event */
  say(event) {
    this.tell(JSON.stringify(event));
  }

  /** @param {unknown} data */
  tell(data) {
    this.onmessage?.({ data });
  }

  /** The socket ends. */
  break(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /**
   * Open and greet.
   *
   * @param {Partial<import("./messages.js").Connected>} [fields]
   */
  greet(fields) {
    this.open();
    this.say({ type: "connected", session_id: "s", resumed: false, epoch: "e1", last_seq: 0, protocol: 2, ...fields });
  }

  /**
   * What was sent of one kind.
   *
   * @param {string} type
   */
  said(type) {
    return this.sent.filter((message) => message.type === type);
  }
}

/**
 * A page that is as the test says.
 *
 * @implements {Surroundings}
 */
export class FakePage {
  isUp = true;
  watchers = new Set();

  isOnline = () => this.isUp;

  /** @param {(kind: "online" | "offline" | "shown") => void} change */
  watch = (change) => {
    this.watchers.add(change);
    return () => void this.watchers.delete(change);
  };

  /** @param {"online" | "offline" | "shown"} kind */
  tell(kind) {
    if (kind !== "shown") this.isUp = kind === "online";
    for (const change of this.watchers) change(kind);
  }
}
