// The figures of now.
import { html } from "../html.js";
import { bytes, compact, integer, plural } from "../text/format.js";

/** @param {{statistics: any}} props */
export function Cards({ statistics }) {
  const { connections, registry, journal, turns } = statistics;
  const table = registry.table;
  return html`<section aria-labelledby="figures"><h2 class="visually-hidden" id="figures">Now</h2><ul class="cards">
    <${Card} name="Connections" value=${integer(connections.open - connections.unauthenticated)}
    detail=${connections.behind ? `${integer(connections.behind)} behind, ${bytes(connections.waiting_bytes)} waiting` : "none behind"} tone=${connections.behind ? "warning" : ""} />
    <${Card} name="Sessions" value=${integer(table.sessions)} detail=${`${integer(table.resident)} in memory`} />
    <${Card} name="Watchers" value=${integer(table.watchers)} detail=${plural(table.channels, "channel")} />
    <${Card} name="Turns running" value=${integer(table.turns_running)}
    detail=${table.chats_queued ? `${plural(table.chats_queued, "chat")} queued` : "nothing queued"} />
    <${Card} name="Turns so far" value=${compact(turns.completed)}
    detail=${`${compact(turns.failed)} failed, ${compact(turns.aborted)} aborted`} />
    <${Card} name="Storage" value=${journal.is_failing ? "Failing" : "Healthy"}
    detail=${journal.is_failing ? `${plural(journal.held, "request")} held back` : `${bytes(table.log_bytes)} of logs in memory`} tone=${journal.is_failing ? "danger" : "good"} />
  </ul></section>`;
}

/** @param {{name: string, value: string, detail: string, tone?: string}} props */
function Card({ name, value, detail, tone = "" }) {
  return html`<li class="card figure" data-tone=${tone || null}><p class="figure-name">${name}</p><p class="figure-value figures">
    ${value}</p><p class="figure-detail muted">${detail}</p></li>`;
}
