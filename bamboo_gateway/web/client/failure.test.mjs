import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { connect } from "./bamboo.js";
import { FakeSocket } from "./doubles.test.mjs";
import { explain } from "./failure.js";

/**
 * A server that answers to HTTP, while *action* runs.
 *
 * @param {(host: string, asked: string[]) => Promise<void>} action
 */
async function serving(action) {
  /** @type {string[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address && typeof address === "object");
  try {
    await action(`127.0.0.1:${address.port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("where nothing answers, the gateway is not there", async () => {
  const { name, message } = await explain("ws://127.0.0.1:1", "http://page.test");
  assert.equal(name, "ConnectError");
  assert.equal(message, "nothing answers at ws://127.0.0.1:1: is the gateway running, and is the address right?");
});

test("where something does, it is most likely the origin of a page from elsewhere", async () => {
  await serving(async (host, asked) => {
    const { message } = await explain(`ws://${host}/some/path?q=1`, "http://page.test");
    assert.match(message, /allowed_origins does not list this page's origin, http:\/\/page\.test/);
    assert.match(message, /full/);
    assert.deepEqual(asked, ["GET /version"]);
  });
});

test("but not of a page of the gateway's own, or of what is no page", async () => {
  await serving(async (host) => {
    for (const origin of [`http://${host}`, undefined, "null"]) {
      const { message } = await explain(`ws://${host}`, origin);
      assert.doesNotMatch(message, /allowed_origins/);
      assert.match(message, /refused a WebSocket: the gateway is full or about to stop, or a proxy/);
    }
  });
});

test("who connects for the first time is told so, and a socket that says itself what is wrong is believed", async () => {
  await serving(async (host) => {
    FakeSocket.made = [];
    const mute = connect(`ws://${host}`, { WebSocket: FakeSocket });
    FakeSocket.last.break();
    await assert.rejects(mute, /refused a WebSocket/);

    const talkative = connect(`ws://${host}`, { WebSocket: FakeSocket });
    FakeSocket.last.onerror?.({ message: "Unexpected server response: 403" });
    FakeSocket.last.break();
    await assert.rejects(talkative, { message: `cannot reach ws://${host}: Unexpected server response: 403` });
  });
});
