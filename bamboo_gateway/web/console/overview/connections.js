// The table of connections, for operators.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { useNow, usePoll } from "../shell/poll.js";
import { hashOf } from "../shell/route.js";
import { ago, bytes, moment, shortId } from "../text/format.js";

/** Connections that are shown at once. */
const PAGE = 100;

/** Milliseconds. */
const INTERVAL = 4000;

export function Connections() {
  const { gate } = useDesk();
  const lack = gate.permissions.value.lack("connection.list");
  return html`<section aria-labelledby="connections"><h2 class="section-head" id="connections">Connections</h2>
    ${lack ? html`<p class="note"><span>Who is connected is for operators to see. ${lack}</span>
    </p>` : html`<${Table} />`}</section>`;
}

function Table() {
  const { gate } = useDesk();
  const now = useNow(5000);
  const [pages, setPages] = useState(1);
  const [shown, setShown] = useState(/** @type {{connections: any[], next: any} | null} */ (null));
  const [failure, setFailure] = useState("");
  usePoll(
    async () => {
      try {
        setShown(await gate.command("connection.list", { limit: Math.min(500, PAGE * pages) }));
        setFailure("");
      } catch (error) {
        setFailure(/** @type {Error} */ (error).message);
      }
    },
    INTERVAL,
    [pages],
  );
  if (!shown) return html`<p class="muted">${failure || "Reading…"}</p>`;
  return html`<div class="card table-card"><table class="connections">
      <thead><tr><th scope="col">Client</th><th scope="col">User</th><th scope="col">Session</th><th scope="col">Address</th>
      <th scope="col">State</th><th scope="col">Since</th></tr></thead>
      <tbody>${shown.connections.map((each) => html`<${Row} key=${each.connection_id} connection=${each} now=${now} />`)}</tbody>
      </table></div>
    ${shown.next !== null && html`<p class="more">
    ${pages * PAGE < 500 ? html`<button class="button" onClick=${() => setPages(pages + 1)}>Show more</button>` : html`<span
    class="muted">These are the oldest 500; <code>bamboo-gateway call connection.list</code> reads on.</span>`}</p>`}`;
}

/** @param {{connection: any, now: number}} props */
function Row({ connection, now }) {
  const { client, session_id: session } = connection;
  return html`<tr data-state=${connection.state}>
    <th scope="row">${client ? html`${client.name} <span class="muted">
    ${client.version ?? ""}</span>` : html`<span class="muted">unnamed, protocol ${connection.protocol}</span>`}</th>
    <td data-label="User">${connection.user_id}</td>
    <td data-label="Session">${session ? html`<a href=${hashOf("chat", session)} title=${session}><code>${shortId(session)}</code>
    </a>` : html`<span class="muted">none</span>`}</td>
    <td data-label="Address">${connection.address}</td>
    <td data-label="State"><span class="state" data-state=${connection.state}><span class="dot" aria-hidden="true"></span>
    ${connection.state === "behind" ? `Behind, ${bytes(connection.waiting_bytes)}` : "Live"}</span></td>
    <td data-label="Since">
    <time datetime=${new Date(connection.connected_at).toISOString()} title=${moment(connection.connected_at)}>
    ${ago(connection.connected_at, now)}</time></td></tr>`;
}
