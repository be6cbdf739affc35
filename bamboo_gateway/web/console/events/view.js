// The frames of this tab's connections as they come, for who writes a client or an agent.
import { html } from "../html.js";
import { useEffect, useMemo, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { copyText } from "../shell/clipboard.js";
import { ViewHead } from "../shell/frame.js";
import { Icon } from "../shell/icons.js";
import { Empty } from "../shell/state_panel.js";
import { integer, plural } from "../text/format.js";
import { EventRow } from "./event_row.js";
import { ALL, asLines, countsOf, selected, toggled } from "./filter.js";
import { WatchForm } from "./watch_form.js";

/** Rows that are drawn at once: enough to read, and few enough for a thousand events a second. */
const ROWS = 100;

/** @typedef {import("./filter.js").Filter} Filter */

export function EventsView() {
  const { frames, shortcuts, toasts } = useDesk();
  const [filter, setFilter] = useState(ALL);
  const [rows, setRows] = useState(ROWS);
  const version = frames.version.value;
  const isPaused = frames.isPaused.value;
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const entries = useMemo(() => frames.ring.list(), [version]);
  const shown = useMemo(() => selected(entries, filter), [entries, filter]);
  useEffect(() => {
    const removers = [
      shortcuts.add("p", () => frames.pause(!frames.isPaused.value)),
      shortcuts.add("/", () => field.current?.focus()),
    ];
    return () => removers.forEach((remove) => remove());
  }, []);
  const copy = () =>
    copyText(asLines(shown)).then(
      () => toasts.done(`${plural(shown.length, "frame")} copied as JSON lines.`),
      (error) => toasts.failed("Nothing was copied", error),
    );
  return html`<main class="view view-events" id="main" tabindex="-1" data-view="events"
    data-state=${isPaused ? "paused" : "live"}>
    <${ViewHead} title="Events" count=${countOf(shown.length, entries.length, frames.ring.hasDropped)}>
      <button class="button" aria-pressed=${isPaused} title=${isPaused ? "Go on (p)" : "Pause (p)"}
      onClick=${() => frames.pause(!isPaused)}><${Icon} name=${isPaused ? "play" : "pause"} size=${16} />
        ${isPaused ? "Go on" : "Pause"}</button>
      <button class="button" onClick=${() => frames.clear()} disabled=${entries.length === 0}>Clear</button>
      <button class="button" onClick=${copy} disabled=${shown.length === 0} title="Copy what is shown, one JSON object a line">
      <${Icon} name="copy" size=${16} />Copy JSONL</button>
    </${ViewHead}>
    <${WatchForm} />
    <${Filters} filter=${filter} onFilter=${setFilter} entries=${entries} field=${field} />
    ${isPaused && html`<p class="note note-warning" role="status"><${Icon} name="pause" />
    <span>Paused${frames.missed > 0 && html`; ${plural(frames.missed, "frame")} passed by meanwhile`}.</span></p>`}
    ${
      shown.length === 0
        ? html`<${NoFrames} isFiltered=${entries.length > 0} onReset=${() => setFilter(ALL)} />`
        : html`<ol class="card events" aria-label="Frames, newest first">
          ${shown.slice(0, rows).map((entry) => html`<${EventRow} key=${entry.number} entry=${entry} />`)}</ol>
        ${shown.length > rows && html`<p class="more">
        <button class="button" onClick=${() => setRows(rows + ROWS)}>Show ${integer(Math.min(ROWS, shown.length - rows))} more</button></p>`}`
    }
  </main>`;
}

/** @param {number} shown @param {number} kept @param {boolean} hasDropped */
function countOf(shown, kept, hasDropped) {
  const all = hasDropped ? `the newest ${plural(kept, "frame")}` : plural(kept, "frame");
  return shown === kept ? all : `${integer(shown)} of ${all}`;
}

/** @param {{filter: Filter, onFilter: (filter: Filter) => void, entries: any[], field: any}} props */
function Filters({ filter, onFilter, entries, field }) {
  const types = countsOf(entries, (entry) => entry.type);
  const labels = countsOf(entries, (entry) => entry.label);
  return html`<div class="filters" role="search" aria-label="Filter frames">
    <label class="search"><span class="visually-hidden">Filter by text</span><${Icon} name="search" size=${16} />
      <input ref=${field} type="search" placeholder="Filter by text" title="In the whole message (/)" value=${filter.text}
      onInput=${(/** @type {any} */ event) => onFilter({ ...filter, text: event.target.value })} /></label>
    <fieldset class="segments"><legend class="visually-hidden">Direction</legend>
      ${DIRECTIONS.map(([value, label]) => html`<label>
      <input type="radio" name="direction" checked=${filter.direction === value}
      onChange=${() => onFilter({ ...filter, direction: value })} /><span>${label}</span></label>`)}</fieldset>
    ${labels.length > 1 && html`<div class="chips" role="group" aria-label="Connections">
    ${labels.map(([label]) => html`<button key=${label} class="chip chip-label" aria-pressed=${!filter.hiddenLabels.has(label)}
    onClick=${() => onFilter({ ...filter, hiddenLabels: toggled(filter.hiddenLabels, label) })}>${label}</button>`)}</div>`}
    <div class="chips" role="group" aria-label="Types">${types.map(
      ([type, count]) =>
        html`<button key=${type} class="chip" aria-pressed=${!filter.hiddenTypes.has(type)}
          onClick=${() => onFilter({ ...filter, hiddenTypes: toggled(filter.hiddenTypes, type) })}>${type} <span class="figures">
            ${integer(count)}</span></button>`,
    )}${types.length > 1 && html`<button class="button button-small button-quiet"
      onClick=${() => onFilter({ ...filter, hiddenTypes: filter.hiddenTypes.size ? new Set() : new Set(types.map(([type]) => type)) })}>${filter.hiddenTypes.size ? "Show all" : "Hide all"}</button>`}</div>
  </div>`;
}

/** @type {ReadonlyArray<[Filter["direction"], string]>} */
const DIRECTIONS = [
  ["both", "Both"],
  ["in", "In"],
  ["out", "Out"],
];

/** @param {{isFiltered: boolean, onReset: () => void}} props */
function NoFrames({ isFiltered, onReset }) {
  if (!isFiltered)
    return html`<${Empty} icon="events" title="Nothing was heard yet">
      <p class="muted">Whatever this tab's connections send and receive appears here. Watch a session to see its events.</p>
      </${Empty}>`;
  return html`<${Empty} icon="search" title="No frame fits the filter"><button class="button" onClick=${onReset}>Show all</button>
    </${Empty}>`;
}
