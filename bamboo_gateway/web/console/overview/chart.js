// One chart: its curves, drawn by uPlot, and beneath the title what they are at the moment, as text.
import uPlot from "../../vendor/uplot/uplot.js";
import { html } from "../html.js";
import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact/hooks.js";
import { useDesk } from "../desk.js";
import { SPAN } from "./stats.js";

/** @typedef {import("./stats.js").Sample} Sample */
/** @typedef {{key: Exclude<keyof Sample, "at">, label: string, tone: 1 | 2 | 3}} Curve */

/** Pixels. */
const HEIGHT = 132;

/** @param {{title: string, hint: string, curves: readonly Curve[], samples: readonly Sample[], format: (value: number) => string, least: number}} props *least*: what the scale shows at least. */
export function Chart({ title, hint, curves, samples, format, least }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const swatches = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const [pointed, setPointed] = useState(/** @type {number | null} */ (null));
  const theme = useDrawnTheme();
  useLayoutEffect(() => {
    const box = place.current;
    if (!box || !swatches.current) return;
    const colours = [...swatches.current.querySelectorAll(".swatch")].map((each) => getComputedStyle(each).color);
    const drawn = new uPlot(
      optionsOf({ box, curves, colours, format, least, onPoint: setPointed }),
      dataOf(samples, curves),
      box,
    );
    plot.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize({ width: box.clientWidth, height: HEIGHT }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [theme]);
  useEffect(() => {
    plot.current?.setData(dataOf(samples, curves));
  }, [samples]);
  const shown = (pointed !== null && samples[pointed]) || samples.at(-1);
  const text = (/** @type {Curve} */ curve) => {
    const value = shown?.[curve.key] ?? null;
    return value === null ? "–" : format(value);
  };
  return html`<figure class="card chart" data-chart=${curves[0]?.key}>
    <figcaption><h3>${title}</h3><p class="muted">${hint}</p></figcaption>
    <dl class="legend" ref=${swatches}>${curves.map((curve) => html`<div><dt>
    <span class=${`swatch tone-${curve.tone}`} aria-hidden="true"></span>${curve.label}</dt><dd class="figures">
    ${text(curve)}</dd></div>`)}</dl>
    <div class="plot" ref=${place} role="img"
    aria-label=${`${title} over the last 5 minutes; now ${curves.map((curve) => `${curve.label} ${text(curve)}`).join(", ")}`}>
      </div>
  </figure>`;
}

/** Another value whenever colours may have changed: uPlot draws them into a canvas. */
function useDrawnTheme() {
  const { theme } = useDesk();
  const [isDark, setDark] = useState(false);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const look = () => setDark(query.matches);
    look();
    query.addEventListener("change", look);
    return () => query.removeEventListener("change", look);
  }, []);
  return `${theme.theme.value}/${isDark}`;
}

/** @param {readonly Sample[]} samples @param {readonly Curve[]} curves @returns {uPlot.AlignedData} */
function dataOf(samples, curves) {
  return [samples.map((each) => each.at / 1000), ...curves.map(({ key }) => samples.map((each) => each[key]))];
}

/**
 * @param {{box: HTMLElement, curves: readonly Curve[], colours: readonly string[], format: (value: number) => string, least: number, onPoint: (index: number | null) => void}} parts
 * @returns {uPlot.Options}
 */
function optionsOf({ box, curves, colours, format, least, onPoint }) {
  const style = getComputedStyle(box);
  const ink = style.color;
  const line = style.borderTopColor;
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: ink, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: "overview" } },
    scales: {
      x: { time: true, range: (_, __, max) => [(max ?? Date.now() / 1000) - SPAN / 1000, max ?? Date.now() / 1000] },
      y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, space: 70, values: (_, splits) => splits.map(minutes) },
      {
        ...axis,
        size: 56,
        space: 32,
        values: (_, splits) => splits.map((value) => (value === 0 ? "0" : format(value))),
      },
    ],
    series: [
      {},
      ...curves.map((curve, index) => ({
        label: curve.label,
        stroke: colours[index] ?? ink,
        width: 1.75,
        fill: index === 0 && curves.length === 1 ? faded(colours[index] ?? ink) : undefined,
        spanGaps: false,
        points: { show: true, size: 4, width: 0, fill: colours[index] ?? ink, filter: lonely },
      })),
    ],
    hooks: { setCursor: [(drawn) => onPoint(drawn.cursor.idx ?? null)] },
  };
}

/** The points that no line shows, for nothing was measured before and after them. @type {uPlot.Series.Points.Filter} */
const lonely = (plot, index) => {
  const values = plot.data[index] ?? [];
  return [...values.keys()].filter((at) => values[at] != null && values[at - 1] == null && values[at + 1] == null);
};

/** @param {number} seconds Unix time. */
function minutes(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** @param {string} colour */
function faded(colour) {
  return `color-mix(in srgb, ${colour} 14%, transparent)`;
}
