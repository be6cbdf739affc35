// Node and `ws`: a loop over all clients, as its documentation has it.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../tests/integration/node/package.json", import.meta.url));
const { WebSocketServer } = require("ws");

const [eventBytes, tick] = process.argv.slice(2).map(Number);
const event = { type: "agent_token", session_id: "*", token: "" };
event.token = "x".repeat(eventBytes - JSON.stringify(event).length);

function broadcast({ ticks, events }) {
  for (let i = 0; i < events; i++) {
    const data = Buffer.from(JSON.stringify(event));
    for (const client of server.clients) client.send(data, { binary: false });
  }
  if (ticks > 1) setTimeout(broadcast, tick * 1000, { ticks: ticks - 1, events });
}

function reply(message) {
  if (message.type === "connect") return { type: "connected", session_id: "s" };
  if (message.type === "ping") return { type: "pong", timestamp: message.timestamp };
  return { type: "command_result", id: message.id, result: { connections: server.clients.size } };
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (client) => {
  client.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.name === "emit") broadcast(message.args);
    else client.send(JSON.stringify(reply(message)));
  });
});
server.on("listening", () => console.log(server.address().port));
