// The charts of the page of one model.

import { drawAll, sayNothing } from "../charts.js";
import { drawCourse } from "../course.js";
import { drawHeat } from "../heatmap.js";
import { drawSeries, look } from "../series.js";
import { counted, share } from "../words.js";

const root = document.body.dataset.root;
const NAMES = { realized: "realized", estimated: "estimated", usual: "always the usual answer", last: "as the window before", seasonal: "as a day before" };

/** The page of a column, of the window at this place. */
function columnPage(asked, role, name, startMs, endMs) {
  const values = { model: asked.model, role, feature: name, window: asked.window, version: asked.version, segment: asked.segment, since: startMs, until: endMs };
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== ""));
  return `${root}feature?${query}`;
}

/** This page, of the one window at this place. */
function windowPage(asked, startMs, endMs) {
  const here = new URL(window.location.href);
  here.searchParams.set("since", startMs);
  here.searchParams.set("until", endMs);
  here.searchParams.set("window", asked.window);
  return here.href;
}

/** Incidents, and alerts as thin bars, as they are listed above. */
function barsOf(selector, ends, isThin) {
  return [...document.querySelectorAll(selector)].map((one) => ({
    startMs: Number(one.dataset.since),
    endMs: one.dataset.until ? Number(one.dataset.until) : ends.at(-1),
    tone: { page: "page", ticket: "ticket" }[one.dataset.severity] ?? "quiet",
    title: `${isThin ? "alert" : "incident"}, ${one.textContent.trim().replace(/\s+/g, " ")}`,
    link: one.querySelector("a").href,
    isThin,
  }));
}

function heat(frame, told) {
  const { starts_ms: starts, ends_ms: ends, inferences, incomplete, references } = told.windows;
  if (!ends.length) return sayNothing(frame, "No window of this kind ended in this time.");
  const bars = [...barsOf(".incidents li", ends, false), ...barsOf(".alerts li", ends, true)];
  const rows = told.columns.map((one) => ({
    name: one.role === "feature" ? one.name : one.role || "the whole slice",
    title: `${one.role} ${one.name}`,
    link: columnPage(told, one.role, one.name, told.since_ms, told.until_ms),
    percents: one.percents,
    rang: one.rang,
  }));
  const pick = (row, place) => columnPage(told, told.columns[row].role, told.columns[row].name, starts[place], ends[place]);
  const said = (place) =>
    `n ${inferences[place].toLocaleString("en")}, reference ${references[place] ?? "none"}${incomplete[place] ? ", incomplete: records were lost" : ""}`;
  const merged = told.merged > 1 ? `; ${told.merged} windows stand at each place, the worst counts` : "";
  const left = told.columns_left_out ? `; ${counted(told.columns_left_out, "column")} left out` : "";
  const places = told.merged > 1 ? `${counted(ends.length, "place")} of windows of ${told.window}` : `${counted(ends.length, "window")} of ${told.window}`;
  const rest = `${places}${merged}${left}. The worst of all methods stands for a column.`;
  drawHeat(frame, { starts, ends, rows, bars: bars.filter((bar) => bar.endMs > starts[0] && bar.startMs < ends.at(-1)), rest, said, pick });
}

function volume(frame, told) {
  const { starts_ms: starts, ends_ms: ends, inferences, labels, incomplete } = told.windows;
  if (!ends.length) return sayNothing(frame, "No window of this kind ended in this time.");
  const lines = [{ name: "predictions", values: inferences, tone: "current", over: incomplete }];
  if (labels.some((count) => count > 0)) lines.push({ name: "labels that arrived", values: labels, tone: "second", dash: "dashed" });
  drawSeries(frame, {
    times: ends,
    lines,
    range: [0, 1.08 * Math.max(1, ...inferences, ...labels)],
    diamond: "records were lost",
    said: (place) => (incomplete[place] ? "incomplete: records were lost" : null),
    pick: (place) => windowPage(told, starts[place], ends[place]),
  });
}

function performance(frame, told) {
  const { starts_ms: starts, ends_ms: ends, ripe } = told.windows;
  if (!told.metric || !ends.length) {
    return sayNothing(frame, "Nothing is known yet: no label has come, the monitor names no task, or no window has ended.");
  }
  frame.querySelector("figcaption").textContent = `${told.metric}${better(told.higher_is_better)}`;
  const version = told.version ?? told.series.at(-1).version;
  const shown = told.series.filter((one) => one.version === version);
  const unripe = ripe.filter((one) => !one).length;
  const labels = unripe ? `${counted(unripe, "window")} not ripe: more labels are to come` : "the labels of all windows have come";
  drawSeries(frame, {
    times: ends,
    lines: shown.map((one, place) => ({ name: NAMES[one.basis] ?? one.basis, values: one.values, ...look(place) })),
    bands: shown
      .map((one, place) => ({ name: `95 % interval, ${NAMES[one.basis]}`, low: one.lows, high: one.highs, tone: look(place).tone }))
      .filter((one) => one.low.some((value) => value !== null)),
    rest: `Version ${version}; ${labels}. Estimates assume ${told.assumption}.`,
    said: (place) => rowsSaid(shown, place, ripe[place]),
    pick: (place) => windowPage(told, starts[place], ends[place]),
  });
}

function better(higher) {
  if (higher === null) return "";
  return higher ? ", higher is better" : ", lower is better";
}

function rowsSaid(shown, place, isRipe) {
  const realized = shown.find((one) => one.basis === "realized");
  const n = realized?.n[place];
  const rows = n === null || n === undefined ? "no labels yet" : `${counted(n, "label")}`;
  return `${rows}${isRipe ? "" : ", not ripe"}`;
}

function missing(frame, told) {
  if (!told.columns.length) return sayNothing(frame, "Nothing is missing in any column in this time.");
  drawSeries(frame, {
    times: told.ends_ms,
    lines: told.columns.map((one, place) => ({ name: one.name || one.role, values: one.shares, ...look(place) })),
    range: [0, Math.min(1, 1.15 * told.columns[0].worst)],
    format: share,
    rest: `${counted(told.columns_with_any, "column")} with missing values in ${counted(told.ends_ms.length, "window")}, spread evenly over the time.`,
  });
}

drawAll({ heat, volume, performance, missing, course: drawCourse });
