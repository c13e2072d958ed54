// One column's values in two sets of rows: bars of ranges or categories, and the curves of their shares.

import { say, sayNothing } from "./charts.js";
import { entry, keyOf } from "./key.js";
import { shape } from "./nodes.js";
import { counted, number, share } from "./words.js";

const HEIGHT = 220;
const FOOT = 40;
const HEAD = 8;
const SIDE = 56;
const LEAST_WIDTH = 120;
const LETTER = 7.2;
const USUAL = new Set(["range", "value", "category"]); // others are shown where there are any

/** Bars of the frame's `distribution`: upright ones for ranges, lying ones for categories. */
export function drawBars(frame, { distribution }) {
  const bars = distribution.bars.filter((bar) => USUAL.has(bar.what) || bar.current || bar.against);
  if (bars.length === 0) return sayNothing(frame, "No row has a value.");
  const draw = distribution.kind === "number" ? upright : lying;
  const names = sidesOf(distribution);
  prepare(frame, bars.length, (place) => told(bars[place], names), (plot) => draw(plot, bars));
  frame.querySelector(".readout").before(sidesKey(names, distribution, "bar"));
}

/** Curves of the frame's `distribution`. */
export function drawCurves(frame, { distribution }) {
  const { ecdf } = distribution;
  if (ecdf.points.length === 0) return sayNothing(frame, "No row has a number.");
  const names = sidesOf(distribution);
  const scale = scaleOf(distribution);
  const shown = ecdf.points.map((_, place) => place).filter((place) => scale.holds(ecdf.points[place]));
  prepare(frame, shown.length, (at) => below(ecdf, shown[at], names), (plot) => curves(plot, ecdf, scale, shown));
  frame.querySelector(".readout").before(sidesKey(names, distribution, "curve"));
}

// ---------------------------------------------------------------- words
function sidesOf({ current, against }) {
  const then = against.origin.reference ? `reference ${against.origin.reference}` : "then";
  return { current: current.rows ? "now" : null, against: against.rows ? then : null };
}

function told(bar, names) {
  const name = bar.what === "missing" ? `missing: ${bar.name}` : bar.name;
  const sides = [];
  if (names.current) sides.push(`now ${share(bar.current_share)} (${counted(bar.current, "row")})`);
  if (names.against) sides.push(`${names.against} ${share(bar.against_share)} (${counted(bar.against, "row")})`);
  return `${name}: ${sides.join(", ")}`;
}

function below(ecdf, place, names) {
  const sides = [];
  if (ecdf.current.length) sides.push(`now ${share(ecdf.current[place])}`);
  if (ecdf.against.length) sides.push(`${names.against} ${share(ecdf.against[place])}`);
  return `below ${number(ecdf.points[place])}: ${sides.join(", ")}`;
}

function sidesKey(names, { ecdf }, what) {
  const sides = ["against", "current"].filter((side) => names[side]);
  return keyOf(...sides.map((side) => sideEntry(names[side], side, what, ecdf[`${side}_resolution`])));
}

function sideEntry(name, side, what, resolution) {
  const isCurve = what === "curve";
  const exact = isCurve && resolution ? `, to ${share(resolution)}` : "";
  const drawn = isCurve ? ["path", { d: "M0 6H24" }] : ["rect", { width: 24, height: 12 }];
  return entry(`${name}${exact}`, shape(drawn[0], { ...drawn[1], class: `${what} ${side}` }));
}

// ---------------------------------------------------------------- a picture with places
/** The picture, drawn anew in each width; mouse and arrow keys choose one of its places. */
function prepare(frame, places, sentence, draw) {
  const plot = frame.querySelector(".plot");
  const name = frame.querySelector("figcaption").textContent.trim();
  let chosen = null;
  let zones = [];
  const choose = (place) => {
    chosen = Math.min(places - 1, Math.max(0, place));
    zones.forEach((zone, at) => zone.classList.toggle("chosen", at === chosen));
    say(frame, sentence(chosen));
  };
  const redraw = () => {
    if (plot.clientWidth < LEAST_WIDTH) return; // it is not laid out, or not any more
    zones = draw(plot);
    zones.forEach((zone, at) => zone.addEventListener("pointerenter", () => choose(at)));
    if (chosen !== null) zones[chosen]?.classList.add("chosen");
  };
  plot.setAttribute("tabindex", "0");
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", `${name}: chart; arrow keys move`);
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose((chosen ?? -1) + steps[event.key]);
  });
  let width = 0;
  new ResizeObserver(() => {
    if (plot.clientWidth === width) return;
    width = plot.clientWidth;
    redraw();
  }).observe(plot);
  width = plot.clientWidth;
  redraw();
}

function canvas(plot, width, height, children) {
  const made = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, ...children);
  plot.replaceChildren(made);
}

function most(bars) {
  return Math.max(0.01, ...bars.flatMap((bar) => [bar.current_share ?? 0, bar.against_share ?? 0]));
}

// ---------------------------------------------------------------- upright bars
function upright(plot, bars) {
  const width = plot.clientWidth;
  const inner = HEIGHT - FOOT - HEAD;
  const step = (width - SIDE) / bars.length;
  const top = most(bars);
  const high = (part) => ((part ?? 0) / top) * inner;
  const every = Math.ceil((longest(bars) * LETTER + 8) / step);
  const zones = [];
  const parts = [...levels(width, top, inner)];
  bars.forEach((bar, place) => {
    const x = SIDE + place * step;
    const wide = Math.max(1, step - Math.min(4, step * 0.15));
    const [against, current] = [high(bar.against_share), high(bar.current_share)];
    const zone = shape(
      "g",
      { class: `zone of-${bar.what}` },
      shape("rect", { x, y: 0, width: step, height: HEIGHT - FOOT, class: "ground" }),
      shape("rect", { x, y: HEAD + inner - against, width: wide, height: against, class: "bar against" }),
      shape("rect", { x: x + wide * 0.22, y: HEAD + inner - current, width: wide * 0.56, height: current, class: "bar current" }),
    );
    zones.push(zone);
    parts.push(zone, ...foot(bar, place, { x, step, every, bars }));
  });
  canvas(plot, width, HEIGHT, [...parts, shape("path", { d: `M${SIDE} ${HEAD + inner}H${width}`, class: "ground-line" })]);
  return zones;
}

function longest(bars) {
  return Math.max(...bars.map((bar) => labelOf(bar).length));
}

/** Ranges are named by where they begin, in as many digits as tell them apart. */
function labelOf(bar) {
  if (bar.what !== "range") return bar.name;
  return bar.name.replace("below ", "< ").replace("above ", "> ").replace(/ (to .*|and more)$/, "");
}

function foot(bar, place, { x, step, every, bars }) {
  const isMissing = bar.what === "missing";
  if (isMissing) {
    const first = place === 0 || bars[place - 1].what !== "missing";
    const end = x + step * (bars.length - place) - 2;
    return first ? [shape("text", { x: end, y: HEIGHT - FOOT + 32, "text-anchor": "end", class: "label" }, "missing")] : [];
  }
  if (place % every !== 0) return [];
  const at = bar.what === "range" && bar.low !== null ? { x, anchor: place === 0 ? "start" : "middle" } : { x: x + step / 2, anchor: "middle" };
  return [shape("text", { x: at.x, y: HEIGHT - FOOT + 16, "text-anchor": at.anchor, class: "label" }, labelOf(bar))];
}

function levels(width, top, inner) {
  return [0.5, 1].flatMap((part) => {
    const y = HEAD + inner * (1 - part);
    return [
      shape("path", { d: `M${SIDE} ${y}H${width}`, class: "level" }),
      shape("text", { x: SIDE - 6, y: y + 4, "text-anchor": "end", class: "label" }, share(top * part)),
    ];
  });
}

// ---------------------------------------------------------------- lying bars
const ROW = 34;

function lying(plot, bars) {
  const width = plot.clientWidth;
  const top = most(bars);
  const room = width - 70;
  const zones = bars.map((bar, place) => {
    const y = place * ROW;
    const name = bar.what === "missing" ? `missing: ${bar.name}` : bar.name;
    const wide = (part) => Math.max(part ? 1 : 0, ((part ?? 0) / top) * room);
    return shape(
      "g",
      { class: `zone of-${bar.what}` },
      shape("rect", { x: 0, y, width, height: ROW, class: "ground" }),
      shape("text", { x: 0, y: y + 12, class: bar.what === "category" ? "name" : "name own" }, cut(name, width)),
      shape("rect", { x: 0, y: y + 16, width: wide(bar.against_share), height: 12, class: "bar against" }),
      shape("rect", { x: 0, y: y + 19, width: wide(bar.current_share), height: 6, class: "bar current" }),
      shape("text", { x: Math.max(wide(bar.current_share), wide(bar.against_share)) + 6, y: y + 26, class: "label" }, share(bar.current_share ?? bar.against_share)),
    );
  });
  canvas(plot, width, bars.length * ROW + 2, zones);
  return zones;
}

function cut(name, width) {
  const letters = Math.max(8, Math.floor(width / LETTER) - 2);
  const all = [...name];
  return all.length <= letters ? name : `${all.slice(0, letters - 1).join("")}…`;
}

// ---------------------------------------------------------------- curves
/** Where values stand: between the ends of the bars, by ratio where these are. */
function scaleOf({ bars, ecdf }) {
  const ends = bars.flatMap((bar) => (bar.what === "missing" ? [] : [bar.low, bar.high])).filter((one) => one !== null);
  const low = Math.min(...(ends.length ? ends : ecdf.points));
  let high = Math.max(...(ends.length ? ends : ecdf.points));
  if (low === high) high = low + Math.max(1e-9, Math.abs(low) * 1e-9);
  const byRatio = low > 0 && high / low > 200;
  const place = byRatio ? (x) => Math.log(x / low) / Math.log(high / low) : (x) => x / (high - low) - low / (high - low);
  const back = byRatio ? (part) => low * (high / low) ** part : (part) => low + part * (high - low);
  return { place, back, holds: (x) => x >= low && x <= high };
}

function curves(plot, ecdf, scale, shown) {
  const width = plot.clientWidth;
  const inner = HEIGHT - FOOT - HEAD;
  const x = (place) => SIDE + scale.place(ecdf.points[place]) * (width - SIDE - 8);
  const y = (part) => HEAD + inner * (1 - part);
  const line = (shares) => shown.map((place, at) => `${at ? "L" : "M"}${x(place).toFixed(1)} ${y(shares[place]).toFixed(1)}`).join("");
  const ticks = width < 500 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
  const anchors = { 0: "start", 1: "end" };
  const parts = [
    ...levels(width, 1, inner),
    ...ticks.map((part) =>
      shape("text", { x: SIDE + part * (width - SIDE - 8), y: HEIGHT - FOOT + 16, "text-anchor": anchors[part] ?? "middle", class: "label" }, number(scale.back(part))),
    ),
    shape("path", { d: `M${SIDE} ${HEAD + inner}H${width}`, class: "ground-line" }),
  ];
  if (ecdf.against.length) parts.push(shape("path", { d: line(ecdf.against), class: "curve against" }));
  if (ecdf.current.length) parts.push(shape("path", { d: line(ecdf.current), class: "curve current" }));
  const zones = shown.map((place, at) => {
    const left = at ? (x(shown[at - 1]) + x(place)) / 2 : SIDE;
    const right = at + 1 < shown.length ? (x(shown[at + 1]) + x(place)) / 2 : width;
    const mark = shape("path", { d: `M${x(place).toFixed(1)} ${HEAD}V${HEAD + inner}`, class: "cursor" });
    const ground = shape("rect", { x: left, y: 0, width: Math.max(0.5, right - left), height: HEIGHT - FOOT, class: "ground" });
    return shape("g", { class: "zone" }, ground, mark);
  });
  canvas(plot, width, HEIGHT, [...parts, ...zones]);
  return zones;
}
