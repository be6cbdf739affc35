// A page without a browser: the browser client on `ws`, told what to do on stdin, and telling all on stdout, in lines of JSON.
//   node page.mjs URL OPTIONS

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { connect } from "../../../bamboo_gateway/web/client/bamboo.js";

const [url, options] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const error = ({ name, code, message, retryable }) => ({ error: { name, code, message, retryable } });

let client;
try {
    client = await connect(url, { WebSocket, ...JSON.parse(options) });
} catch (refusal) {
    tell(error(refusal));
    process.exit();
}
tell({ connected: client.connected });

// A page keeps what it has shown and how far it has read together, so both are in one line.
client.on("*", (event) => tell({ event, cursor: client.cursor }));
for (const name of ["open", "disconnected", "retry"]) client.on(name, (news) => tell({ news: name, ...news }));
client.on("closed", ({ code, reason }) => tell({ news: "closed", code, reason }));

const actions = {
    chat: ({ content, id }) => client.chat(content, { id }),
    command: ({ name, args, id }) => client.command(name, args, { id }),
    close: () => client.close(),
};

for await (const line of createInterface({ input: process.stdin })) {
    const { action, key, ...rest } = JSON.parse(line);
    assert(action in actions, line);
    actions[action](rest).then(
        (answer) => tell({ key, answer: answer ?? null }),
        (refusal) => tell({ key, ...error(refusal) }),
    );
}
