// Every column by its limit, window by window: rows of cells on a canvas, with incidents as bars above them.

import { say } from "./charts.js";
import { entry, filled, keyOf } from "./key.js";
import { element, shape, table, tableBehind } from "./nodes.js";
import { colour, onTheme } from "./theme.js";
import { counted, span, utc } from "./words.js";

const ROW = 16;
const FIRST_ROWS = 30;
const LANE = 10;
const MOST_LANES = 6;
const STEPS = [
  [50, "heat-0", "up to half its limit"],
  [80, "heat-1", "up to 0.8"],
  [100, "heat-2", "up to the limit"],
  [200, "heat-3", "over it"],
  [1000, "heat-4", "2 times and more"],
  [Infinity, "heat-5", "10 times and more"],
];

/**
 * Draw a heat map into a frame.
 *
 * map.starts, map.ends   milliseconds of each place
 * map.rows               [{name, title, link, percents, rang}]: percents of the limit at each place, null: no score
 * map.bars               [{startMs, endMs, tone, title, link, isThin}] above the rows
 * map.rest               what is said below while the cursor is nowhere
 * map.said               (place) => what is said of a place beside its value
 * map.pick               (row, place) => address
 */
export function drawHeat(frame, map) {
  const plot = frame.querySelector(".plot");
  const canvas = element("canvas", { tabindex: "0", role: "application", "aria-label": heard(map) });
  const names = element("div", { class: "names" });
  const drawn = element("div", { class: "drawn" }, lanes(map), canvas);
  const head = element("div", { "aria-hidden": "true" });
  head.style.height = `${lanesHeight(map)}px`;
  const axis = element("p", { class: "axis quiet" }, element("span", {}, utc(map.starts[0])), element("span", {}, utc(map.ends.at(-1))));
  plot.replaceChildren(element("div", { class: "heat" }, element("div", {}, head, names), drawn, axis));
  const state = { shown: Math.min(FIRST_ROWS, map.rows.length), row: 0, place: map.ends.length - 1 };
  const redraw = () => {
    names.replaceChildren(...map.rows.slice(0, state.shown).map(label));
    paint(canvas, map, state);
  };
  redraw();
  onTheme(redraw);
  new ResizeObserver(() => paint(canvas, map, state)).observe(drawn);
  listen(frame, canvas, map, state);
  say(frame, map.rest);
  const below = [key(map), tableBehind(() => asTable(map))];
  if (state.shown < map.rows.length) below.unshift(more(map, state, redraw));
  frame.querySelector(".links").before(...below);
}

function heard(map) {
  const over = map.rows.filter((row) => row.rang > 0).length;
  return `${counted(map.rows.length, "column")}, ${over} of them over the limit in some window; arrow keys move, Enter opens`;
}

function label(row) {
  const attributes = { href: row.link, title: row.title, class: row.rang ? "over" : null };
  return element("a", attributes, row.rang ? `\u25c6 ${row.name}` : row.name);
}

function more(map, state, redraw) {
  const button = element("button", { type: "button" }, `Show all ${counted(map.rows.length, "column")}`);
  button.addEventListener("click", () => {
    state.shown = map.rows.length;
    button.remove();
    redraw();
  });
  return button;
}

// ---------------------------------------------------------------- incidents and alerts above
function lanesHeight(map) {
  const bars = placed(map.bars);
  return bars.length ? Math.max(...bars.map((one) => one.top + one.high)) + 4 : 0;
}

/** Bars that overlap stand in different lanes; those of alerts are thin and below. */
function placed(bars) {
  const thick = stacked(bars.filter((bar) => !bar.isThin), 0, LANE);
  const below = thick.length ? Math.max(...thick.map((one) => one.top)) + LANE : 0;
  return [...thick, ...stacked(bars.filter((bar) => bar.isThin), below, LANE / 2)];
}

function stacked(bars, top, step) {
  const ends = [];
  return [...bars].sort((a, b) => a.startMs - b.startMs).map((bar) => {
    let lane = ends.findIndex((end) => end <= bar.startMs);
    if (lane < 0) lane = Math.min(ends.length, MOST_LANES - 1);
    ends[lane] = bar.endMs;
    return { ...bar, top: top + lane * step, high: 0.7 * step };
  });
}

function lanes(map) {
  const [first, last] = [map.starts[0], map.ends.at(-1)];
  const high = lanesHeight(map);
  const box = shape("svg", { class: "lanes", viewBox: `0 0 1000 ${high || 1}`, preserveAspectRatio: "none", height: high });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Incidents and alerts over time");
  for (const bar of placed(map.bars)) {
    const x = (1000 * Math.max(0, bar.startMs - first)) / (last - first);
    const width = Math.max(3, (1000 * (Math.min(last, bar.endMs) - first)) / (last - first) - x);
    const mark = shape("rect", { x, y: bar.top, width, height: bar.high, rx: 1 });
    mark.style.fill = `var(--${bar.tone})`;
    box.append(shape("a", { href: bar.link, "aria-label": bar.title }, shape("title", {}, bar.title), mark));
  }
  return box;
}

// ---------------------------------------------------------------- cells
function paint(canvas, map, state) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.parentElement.clientWidth;
  const height = state.shown * ROW;
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const edges = map.starts.map((start, place) => [across(map, start, width), across(map, map.ends[place], width)]);
  const tones = STEPS.map(([, token]) => colour(token));
  for (let row = 0; row < state.shown; row += 1) paintRow(pen, map.rows[row].percents, row, edges, tones);
  if (state.marked) outline(pen, state, edges);
}

function across(map, ms, width) {
  return (width * (ms - map.starts[0])) / (map.ends.at(-1) - map.starts[0]);
}

/** Neighbours of one colour are one stroke. */
function paintRow(pen, percents, row, edges, tones) {
  let from = 0;
  while (from < percents.length) {
    const step = stepOf(percents[from]);
    let to = from + 1;
    while (to < percents.length && stepOf(percents[to]) === step && edges[to][0] - edges[to - 1][1] < 0.5) to += 1;
    if (step >= 0) {
      pen.fillStyle = tones[step];
      pen.fillRect(edges[from][0], row * ROW, Math.max(1, edges[to - 1][1] - edges[from][0]), ROW - 1);
    }
    from = to;
  }
}

function stepOf(percent) {
  return percent === null ? -1 : STEPS.findIndex(([most]) => percent <= most);
}

function outline(pen, state, edges) {
  const [left, right] = edges[state.place];
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 2;
  pen.strokeRect(left, state.row * ROW, Math.max(3, right - left), ROW - 1);
}

// ---------------------------------------------------------------- what a person does
function listen(frame, canvas, map, state) {
  const show = () => {
    state.marked = true;
    paint(canvas, map, state);
    say(frame, told(map, state.row, state.place));
  };
  canvas.addEventListener("pointermove", (event) => {
    const at = cellAt(event, canvas, map, state);
    if (at === null || (at.row === state.row && at.place === state.place && state.marked)) return;
    Object.assign(state, at);
    show();
  });
  canvas.addEventListener("pointerleave", () => {
    state.marked = false;
    paint(canvas, map, state);
    say(frame, map.rest);
  });
  canvas.addEventListener("click", (event) => {
    const at = cellAt(event, canvas, map, state);
    if (at) window.location.assign(map.pick(at.row, at.place));
  });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -Infinity], End: [0, Infinity] };
    if (event.key === "Enter") window.location.assign(map.pick(state.row, state.place));
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [down, right] = moves[event.key];
    state.row = Math.min(state.shown - 1, Math.max(0, state.row + down));
    state.place = Math.min(map.ends.length - 1, Math.max(0, state.place + right));
    show();
  });
}

function cellAt(event, canvas, map, state) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / ROW);
  const ms = map.starts[0] + ((event.clientX - box.left) / box.width) * (map.ends.at(-1) - map.starts[0]);
  const place = map.ends.findIndex((end, at) => ms < end && ms >= map.starts[at]);
  return row < 0 || row >= state.shown || place < 0 ? null : { row, place };
}

function told(map, row, place) {
  const percent = map.rows[row].percents[place];
  const by = percent === null ? "no score" : `${(percent / 100).toFixed(2)} times its limit`;
  return `${map.rows[row].name}: ${by}, ${span(map.starts[place], map.ends[place])}, ${map.said(place)}`;
}

// ---------------------------------------------------------------- beside the picture
function key(map) {
  const bars = map.bars.length ? [element("span", {}, "bars above: incidents, and thin ones alerts")] : [];
  return keyOf(...STEPS.map(([, token, words]) => entry(words, filled(token))), element("span", {}, "\u25c6 over its limit in this time"), ...bars);
}

function asTable(map) {
  const rows = map.rows.map((row) => {
    const scored = row.percents.filter((one) => one !== null);
    const worst = scored.length ? (Math.max(...scored) / 100).toFixed(2) : "\u2013";
    return [row.name, worst, `${row.rang} of ${scored.length}`];
  });
  return table(["column", "#worst by its limit", "#windows over"], rows, "Columns by their limits");
}
