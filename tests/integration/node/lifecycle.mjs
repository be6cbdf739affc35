// The eight steps of a session's life: node lifecycle.mjs URL DIALECT PROTOCOL

import assert from "node:assert/strict";
import { Client } from "./client.mjs";

const [url, dialect, protocol] = process.argv.slice(2);
const spoken = protocol === "1" ? {} : { protocol: Number(protocol) };
const LONG = "one two three four five six seven eight nine ten"; // a token each 20 ms

const text = (events) => events.map((event) => event.token ?? "").join("");
const kinds = (events) => events.map((event) => event.type);

let step = 0;
const done = (what) => console.log(`${++step}. ${what}`);

const chat = async (client, session_id, content) => {
    client.say("chat", { content, session_id });
    return client.until("agent_complete");
};

const command = async (client, name) => {
    client.say("command", { name, args: {} });
    const event = await client.next("command_result", "agent_token", "agent_tool_complete");
    return event.token ?? JSON.stringify(event.result);
};

const first = new Client(url, dialect);
await first.open();
done("the WebSocket is open");

first.say("connect", spoken);
done("Connect is sent");

const connected = await first.next();
assert.equal(connected.type, "connected");
assert.equal(connected.resumed, false);
assert.equal(connected.protocol, Number(protocol));
done("the session is made");

const { session_id, epoch } = connected;
assert.match(session_id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
done("its id is told");

const answer = await chat(first, session_id, "to be or not to be");
const tools = kinds(await chat(first, session_id, "/tool search bamboo"));
assert.ok((await command(first, "status")).includes(session_id));
done("a chat and a command are taken");

assert.equal(answer.at(-1).usage.total_tokens, 12);
assert.ok(tools.indexOf("agent_tool_start") < tools.indexOf("agent_tool_complete"));
done("the agent is asked, and calls a tool");

assert.deepEqual(answer.map((event) => event.token).filter(Boolean).slice(0, 2), ["to ", "be "]);
assert.equal(text(answer), "to be or not to be");
done("its answer streams");

first.say("chat", { content: LONG, session_id });
const seen = await first.next("agent_token");
assert.equal((await first.close()).code, 1000);

const second = new Client(url, dialect);
await second.open();
second.say("connect", { ...spoken, session_id, epoch, last_seq: seen.seq, replay: "exact" });
const again = await second.next();
assert.deepEqual([again.type, again.session_id, again.resumed], ["connected", session_id, true]);
const missed = await second.until("agent_complete");
assert.equal(seen.token + text(missed), LONG);
missed.forEach((event, index) => assert.equal(event.seq, seen.seq + 1 + index));
assert.ok((await command(second, "session.history")).includes(LONG));
assert.equal((await second.close()).code, 1000);
done("the connection ends, the session stays, nothing is missed");
