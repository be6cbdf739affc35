// Node with ws. Its argument is how many events a session keeps.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { setImmediate, setTimeout } from "node:timers/promises";

const require = createRequire(new URL("../../tests/integration/node/package.json", import.meta.url));
const { WebSocketServer } = require("ws");

const RING_SIZE = Number(process.argv[2]);

class Session {
  constructor(socket) {
    this.socket = socket;
    this.id = randomUUID();
    this.seq = 0;
    this.ring = [];
  }

  // Answer as the package says.
  async chat(content) {
    const [count, interval, silent] = content.split(" ");
    const pause = Number(interval) * 1000;
    const runId = randomUUID();
    let due = performance.now() + Math.random() * pause;
    for (let n = Number(count); n > 0; n--) {
      await (pause ? setTimeout(due - performance.now()) : setImmediate());
      due += pause;
      if (!silent) this.push("agent_token", runId, `${process.hrtime.bigint()} `);
    }
    this.push("agent_complete", runId);
  }

  // Number, keep, and send one event; a field that is undefined is left out of the JSON.
  push(type, runId, token) {
    this.seq++;
    const event = { type, session_id: this.id, token, seq: this.seq, run_id: runId, ts: Date.now() };
    const text = JSON.stringify(event);
    this.ring[this.seq % RING_SIZE] = text;
    this.socket.send(text);
  }
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  const session = new Session(socket);
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "connect") {
      socket.send(JSON.stringify({ type: "connected", session_id: session.id }));
    } else {
      session.chat(message.content);
    }
  });
});
server.on("listening", () => console.log(server.address().port));
