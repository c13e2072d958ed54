// Values over time: lines, bands and limits by uPlot, with a cursor for mouse and keys.

import { say } from "./charts.js";
import { entry, filled, keyOf } from "./key.js";
import { element, shape, table, tableBehind } from "./nodes.js";
import { colour, onTheme } from "./theme.js";
import { number, utc } from "./words.js";

const DASHES = { solid: [], dashed: [6, 4], dotted: [1.5, 3] };
const LAST_TIME = 60; // so wide is a time below the axis: the last one would be cut off at the right
const TINT = 0.22;
const NO_DRAG = { setScale: false, x: false, y: false, click: () => {} }; // else a click is lost when the hand moves
const TONES = ["current", "second", "third", "quiet"];
const together = uPlot.sync("time");

/** How the line at this place among others looks: twelve are told apart, and two of one tone by their dashes. */
export function look(place) {
  return { tone: TONES[place % TONES.length], dash: Object.keys(DASHES)[place % 3] };
}

/**
 * Draw a chart of event time into a frame.
 *
 * chart.times    milliseconds, rising: where each value stands (a window's end)
 * chart.lines    [{name, values, tone, dash, width, over}], null: no value; marked by shape where `over[i]` is true
 * chart.bands    [{name, low, high, tone}] filled between two rows of values
 * chart.diamond  what the marks of `over` mean, for the key
 * chart.range    [low, high] of the scale, or nothing
 * chart.format   a value as text
 * chart.rest     what is said below while the cursor is nowhere
 * chart.said     (place) => what is said of a place beside its values
 * chart.pick     (place) => address, where a click or Enter leads
 */
export function drawSeries(frame, chart) {
  const plot = frame.querySelector(".plot");
  const format = chart.format ?? number;
  let drawn = null;
  const redraw = () => {
    drawn?.destroy();
    drawn = new uPlot(options(frame, chart, format), columns(chart), plot);
  };
  plot.setAttribute("tabindex", "0");
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", `${caption(frame)}: chart; arrow keys move, Enter opens the window`);
  redraw();
  say(frame, chart.rest ?? "");
  onTheme(redraw);
  new ResizeObserver(() => drawn.setSize({ width: plot.clientWidth, height: height(chart) })).observe(plot);
  plot.addEventListener("keydown", (event) => key(event, drawn, chart));
  plot.addEventListener("click", () => open(drawn.cursor.idx, chart));
  frame.querySelector(".links").before(legend(chart), behind(chart, format, caption(frame)));
}

function caption(frame) {
  return frame.querySelector("figcaption").textContent.trim();
}

function height(chart) {
  return chart.height ?? 180;
}

function columns(chart) {
  const bands = (chart.bands ?? []).flatMap((band) => [band.high, band.low]);
  return [chart.times.map((ms) => ms / 1000), ...bands, ...painted(chart.lines).map((line) => line.values)];
}

/** Dashes are painted upon what is solid, so that of lines that lie on each other each is seen. */
function painted(lines) {
  const order = Object.keys(DASHES);
  const depth = (one) => order.indexOf(one.dash ?? order[0]);
  return [...lines].sort((a, b) => depth(a) - depth(b));
}

function options(frame, chart, format) {
  const bands = chart.bands ?? [];
  return {
    width: frame.querySelector(".plot").clientWidth,
    height: height(chart),
    padding: [null, LAST_TIME / 2, null, null],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { sync: { key: together.key, setSeries: false }, drag: NO_DRAG, y: false },
    legend: { show: false },
    scales: { x: { range: whole }, y: chart.range ? { range: () => chart.range } : { range: roomy } },
    axes: [{ ...axis(), values: timesOf, space: 70 }, { ...axis(), values: (_, ticks) => ticks.map(format), size: 64 }],
    series: [{}, ...bands.flatMap((band) => edges(band)), ...painted(chart.lines).map(line)],
    bands: bands.map((band, place) => ({ series: [2 * place + 1, 2 * place + 2], fill: tint(band.tone) })),
    hooks: { setCursor: [(drawn) => say(frame, told(chart, format, drawn.cursor.idx) || (chart.rest ?? ""))] },
  };
}

/** One window more than there are, so that a single one has a width. */
function whole(_, low, high) {
  return low === high ? [low - 60, high + 60] : [low, high];
}

function roomy(_, low, high) {
  if (low === null || high === null) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 && low < room * 2 ? 0 : low - room, high + room];
}

function axis() {
  const line = { stroke: colour("line"), width: 1 };
  return { stroke: colour("quiet"), font: "12px system-ui, sans-serif", grid: line, ticks: line };
}

/** In UTC and 24 hours: the time of day, and the day below where it begins or is seen first. */
function timesOf(_, ticks, __, ___, step) {
  let day = "";
  return ticks.map((seconds) => {
    const text = new Date(seconds * 1000).toISOString();
    const date = text.slice(5, 10);
    const shown = day === date ? "" : `\n${date}`;
    day = date;
    if (step >= 86400) return date;
    return `${text.slice(11, step >= 60 ? 16 : 19)}${shown}`;
  });
}

function tint(tone) {
  return `color-mix(in srgb, ${colour(tone)} ${100 * TINT}%, transparent)`;
}

function edges(band) {
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  return [{ ...edge, label: `${band.name}, upper` }, { ...edge, label: `${band.name}, lower` }];
}

function line(one) {
  const stroke = colour(one.tone);
  return {
    label: one.name,
    stroke,
    width: one.width ?? 1.75,
    dash: DASHES[one.dash ?? "solid"],
    points: one.over ? marks(one, stroke) : { show: isolated(one.values), size: 5 },
    spanGaps: false,
  };
}

/** A value without neighbours would not be seen as a line. */
function isolated(values) {
  return values.some((value, at) => value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null);
}

/** Values over their limit stand as diamonds. */
function marks(one, stroke) {
  const at = one.over.flatMap((over, place) => (over && one.values[place] !== null ? [place] : []));
  return { show: at.length > 0, filter: () => at, size: 9, width: 2, stroke: colour("over"), fill: stroke, paths: diamonds };
}

function diamonds(drawn, series, first, last, places) {
  const path = new Path2D();
  const radius = 5 * devicePixelRatio;
  for (const place of places ?? []) {
    const x = drawn.valToPos(drawn.data[0][place], "x", true);
    const y = drawn.valToPos(drawn.data[series][place], drawn.series[series].scale, true);
    path.moveTo(x, y - radius);
    for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) path.lineTo(x + dx * radius, y + dy * radius);
  }
  return { fill: path, stroke: path };
}

// ---------------------------------------------------------------- what a person does
function key(event, drawn, chart) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity, PageUp: -10, PageDown: 10 };
  if (event.key === "Enter") return open(drawn.cursor.idx, chart);
  if (!(event.key in steps)) return;
  event.preventDefault();
  const last = chart.times.length - 1;
  const place = Math.min(last, Math.max(0, (drawn.cursor.idx ?? last + 1) + steps[event.key]));
  drawn.setCursor({ left: drawn.valToPos(chart.times[place] / 1000, "x"), top: 10 });
}

function open(place, chart) {
  const address = place === null || place === undefined ? null : chart.pick?.(place);
  if (address) window.location.assign(address);
}

function told(chart, format, place) {
  if (place === null || place === undefined) return "";
  const bands = (chart.bands ?? [])
    .filter((band) => band.low[place] !== null)
    .map((band) => `${band.name} ${format(band.low[place])} to ${format(band.high[place])}`);
  const lines = chart.lines.filter((one) => one.values[place] !== null).map((one) => `${one.name} ${format(one.values[place])}`);
  const beside = chart.said?.(place);
  return [utc(chart.times[place]), ...lines, ...bands, ...(beside ? [beside] : [])].join(", ");
}

// ---------------------------------------------------------------- beside the picture
function legend(chart) {
  const entries = [
    ...chart.lines.map((one) => entry(one.name, stroked(one))),
    ...(chart.bands ?? []).map((band, place) => entry(band.name, filled(band.tone, { opacity: depth(chart.bands, place) }))),
  ];
  if (chart.lines.some((one) => one.over?.some(Boolean))) entries.push(element("span", {}, `\u25c6 ${chart.diamond}`));
  return keyOf(...entries);
}

/** Bands of one colour lie within each other, the inner ones the deeper. */
function depth(bands, place) {
  const around = bands.slice(0, place).filter((band) => band.tone === bands[place].tone).length;
  return 1 - (1 - TINT) ** (around + 1);
}

function stroked(one) {
  const dash = DASHES[one.dash ?? "solid"].join(" ");
  const made = shape("line", { x1: 0, y1: 6, x2: 24, y2: 6, "stroke-width": 2, "stroke-dasharray": dash });
  made.style.stroke = `var(--${one.tone})`;
  return made;
}

function behind(chart, format, name) {
  const bands = (chart.bands ?? []).flatMap((band) => [
    { name: `${band.name}, from`, values: band.low },
    { name: `${band.name}, to`, values: band.high },
  ]);
  const shown = [...chart.lines, ...bands];
  return tableBehind(() => {
    const rows = chart.times.map((ms, place) => [utc(ms), ...shown.map((one) => format(one.values[place]))]);
    return table(["window's end", ...shown.map((one) => `#${one.name}`)], rows.reverse(), name);
  });
}
