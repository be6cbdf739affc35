// How the gateway does: figures of now, curves of the last minutes, and who is connected.
import { html } from "../html.js";
import { useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { ViewHead } from "../shell/frame.js";
import { usePoll } from "../shell/poll.js";
import { Broken, Loading, Withheld } from "../shell/state_panel.js";
import { compact, duration } from "../text/format.js";
import { Cards } from "./cards.js";
import { Chart } from "./chart.js";
import { Connections } from "./connections.js";

/** Milliseconds. */
const INTERVAL = 2000;

export function OverviewView() {
  const { gate } = useDesk();
  const lack = gate.permissions.value.lack("gateway.stats");
  return html`<main class="view" id="main" tabindex="-1" data-view="overview">
    ${lack ? html`<${ViewHead} title="Overview" />
    <${Withheld} what="The measurements are not for you to see" reason=${lack} />` : html`<${Measured} />`}
    <${Connections} />
  </main>`;
}

function Measured() {
  const { gate, stats } = useDesk();
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [info, setInfo] = useState(/** @type {any} */ (null));
  const ask = usePoll(
    async () => {
      try {
        stats.take(await gate.command("gateway.stats", { histograms: true }), Date.now());
        if (!info) setInfo(await gate.command("gateway.info"));
        setError(null);
      } catch (failure) {
        setError(failure);
      }
    },
    INTERVAL,
    [],
  );
  const answer = stats.answer.value;
  return html`<${ViewHead} title="Overview"
    count=${info && html`${info.name} ${info.version}${answer && html` · up ${duration(Math.floor(answer.statistics.uptime))}`}`} />
    ${!answer ? (error ? html`<${Broken} error=${error} onRetry=${ask} />` : html`<${Loading}
    what="Measuring…" />`) : html`<${Cards} statistics=${answer.statistics} /><${Charts} />`}`;
}

function Charts() {
  const samples = useDesk().stats.samples.value;
  const rate = (/** @type {number} */ value) => `${compact(value)}/s`;
  return html`<section aria-labelledby="charts"><h2 class="section-head" id="charts">The last five minutes</h2>
    <div class="charts">
    <${Chart} title="Connections" hint="that have come in" samples=${samples} format=${compact} least=${4} curves=${[
      { key: "open", label: "open", tone: 1 },
      { key: "behind", label: "behind", tone: 3 },
    ]} />
    <${Chart} title="Events" hint="a second" samples=${samples} format=${rate} least=${5} curves=${[
      { key: "appended", label: "appended", tone: 1 },
      { key: "delivered", label: "delivered", tone: 2 },
    ]} />
    <${Chart} title="Delivery lag" hint="from the registry through fan-out" samples=${samples} format=${duration} least=${0.001}
    curves=${[
      { key: "lag50", label: "p50", tone: 1 },
      { key: "lag99", label: "p99", tone: 3 },
    ]} />
    <${Chart} title="Journal commit" hint="time of each; none where the storage is memory" samples=${samples} format=${duration}
    least=${0.001} curves=${[
      { key: "commit50", label: "p50", tone: 1 },
      { key: "commit99", label: "p99", tone: 3 },
    ]} />
    <${Chart} title="Turns" hint="running, and chats that wait" samples=${samples} format=${compact} least=${2} curves=${[
      { key: "running", label: "running", tone: 1 },
      { key: "queued", label: "queued", tone: 3 },
    ]} />
    <${Chart} title="Loop lag" hint="by how much the event loop is late" samples=${samples} format=${duration} least=${0.001}
    curves=${[{ key: "loop99", label: "p99", tone: 1 }]} />
  </div></section>`;
}
