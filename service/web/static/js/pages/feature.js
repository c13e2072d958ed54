// The page of one column: its distribution, and its course over time.

import { drawAll, sayNothing } from "../charts.js";
import { begun, beside, drawCategories, drawQuantiles, flat, picked, windowAt } from "../course.js";
import { drawBars, drawCurves } from "../distribution.js";
import { drawSeries, look } from "../series.js";
import { counted, DASH, number, share } from "../words.js";

const MOST_LINES = 5;
const HIGHEST = 5; // times its limit: a score that is farther over stands at the top, and is told in figures
const KINDS = {
  null: "null",
  absent: "absent",
  nan: "NaN",
  infinite: "infinite",
  empty: "empty text",
  wrong_type: "wrong type",
};

drawAll({ distribution: drawBars, ecdf: drawCurves, quantiles: drawQuantiles, categories: drawCategories, missing, scores });

// ---------------------------------------------------------------- missing
function missing(frame, { course: whole }) {
  const course = begun(whole);
  const there = Object.entries(course.missing).filter(([, values]) => values.some((value) => value));
  if (there.length === 0) return sayNothing(frame, "Nothing was missing in any window of this time.");
  const lines = there.map(([kind, values], place) => ({ name: KINDS[kind], values, ...look(place) }));
  const usual = course.reference ? Object.values(course.reference.missing).reduce((sum, one) => sum + one, 0) : null;
  if (usual !== null) lines.push({ name: "all kinds in the reference", values: flat(usual, course.end_ms), tone: "reference", dash: "dashed" });
  drawSeries(frame, { times: course.end_ms, lines, format: share, said: beside(course), pick: picked(course) });
}

// ---------------------------------------------------------------- scores
function scores(frame, told) {
  const only = new URLSearchParams(window.location.search).get("method");
  const series = told.series.filter((one) => (!only || one.method === only) && one.limits.some((limit) => limit !== null));
  if (series.length === 0) return sayNothing(frame, "No score of this time has a limit.");
  const { starts_ms: starts, ends_ms: times, incomplete } = told.windows;
  const methods = ranked(series, times.length);
  const shown = methods.slice(0, MOST_LINES);
  const lines = shown.map((method, place) => scoreLine(method, place, Boolean(only)));
  const isHigh = !only && shown.some((method) => method.rows.some((row) => row !== null && ratio(row) > HIGHEST));
  const limit = only ? methods[0].rows.map((row) => row?.limit ?? null) : flat(1, times);
  lines.push({ name: "limit", values: limit, tone: "over", dash: "dashed", width: 1.5 });
  const left = methods.length - shown.length;
  drawSeries(frame, {
    times,
    lines,
    height: 220,
    range: isHigh ? [0, HIGHEST * 1.06] : undefined,
    format: only ? number : timesOver,
    diamond: "over its limit",
    rest: isHigh ? `More than ${HIGHEST} times the limit stands at the top.` : "",
    said: (place) =>
      [
        ...shown.map((method) => inFigures(method, place)),
        left ? `${counted(left, "method")} more in the table below` : "",
        incomplete[place] ? "incomplete" : "",
      ]
        .filter(Boolean)
        .join("; "),
    pick: (place) => windowAt(starts[place], times[place]),
  });
}

/** Methods with a row for each window, those farthest over their limit first. Of several versions the worst counts. */
function ranked(series, windows) {
  const methods = new Map();
  for (const one of series) {
    const method = methods.get(one.method) ?? { name: one.method, rows: Array(windows).fill(null), worst: 0 };
    one.verdicts.forEach((verdict, place) => {
      if (verdict === null || one.limits[place] === null) return;
      const row = { value: one.values[place], limit: one.limits[place], n: one.n[place], m: one.m[place], over: verdict === "drift" };
      if (method.rows[place] === null || ratio(row) > ratio(method.rows[place])) method.rows[place] = row;
      method.worst = Math.max(method.worst, ratio(row) + (row.over ? 1e6 : 0));
    });
    methods.set(one.method, method);
  }
  return [...methods.values()].sort((a, b) => b.worst - a.worst || (a.name < b.name ? -1 : 1));
}

function timesOver(value) {
  if (value === null) return DASH;
  return value >= HIGHEST ? `${HIGHEST} x or more` : `${number(value)} x`;
}

function ratio(row) {
  if (row.value === null) return 0;
  return row.limit > 0 ? row.value / row.limit : row.value > row.limit ? 100 : 0;
}

function scoreLine(method, place, isAlone) {
  const value = (row) => (row === null || row.value === null ? null : isAlone ? row.value : Math.min(HIGHEST, ratio(row)));
  return {
    name: method.name,
    values: method.rows.map(value),
    over: method.rows.map((row) => row !== null && row.over),
    ...look(place),
  };
}

function inFigures(method, place) {
  const row = method.rows[place];
  if (row === null) return "";
  const over = row.over ? ", over" : "";
  return `${method.name} ${number(row.value)} of ${number(row.limit)}, n = ${row.n.toLocaleString("en")}, m = ${row.m.toLocaleString("en")}${over}`;
}
