// What TypeScript makes of a program that uses the client: where an error is expected, its absence is one.
import { test } from "node:test";

/** @typedef {import("./bamboo.js").Client} Client */

/** @param {Client} client */
async function program(client) {
  client.on("agent_token", (event) => event.token.toUpperCase());
  client.on("error", (event) => event.code.length + (event.seq ?? 0));
  client.on("gap", ({ earliest, latest }) => latest - earliest);
  client.on("disconnected", ({ code, retryIn }) => code + (retryIn ?? 0));
  client.on("closed", ({ error }) => error?.reconnect === false);
  client.on("*", (event) => (event.type === "user_message" ? event.content : event.type));
  // @ts-expect-error No event has this name.
  client.on("agent_tokens", () => {});
  // @ts-expect-error It has no text of this name.
  client.on("agent_token", (event) => event.text);

  const { sessions, next } = await client.command("session.list", { limit: 5 });
  for (const session of sessions) session.name?.trim();
  await client.command("session.list", { after: next ?? 0 });
  // @ts-expect-error A limit is a number.
  await client.command("session.list", { limit: "5" });
  // @ts-expect-error It takes a name.
  await client.command("session.rename", {});
  // @ts-expect-error A list has no such field.
  (await client.command("session.list")).first;
  const anything = await client.command("a.tool.of.the.agent", { any: ["thing"] });
  anything.whatever;

  const { run_id, queued } = await client.chat("hello", { metadata: { lang: "en" } });
  run_id?.length.toFixed(queued);
  // @ts-expect-error A chat is text.
  await client.chat(5);
}

test("it is checked, and not run", () => void program);
