// One column over time: quantiles of numbers, shares of categories.

import { sayNothing } from "./charts.js";
import { drawSeries, look } from "./series.js";
import { number, share } from "./words.js";

const MOST_LINES = 5;

/** Quantiles where the column holds numbers, else shares of its categories. */
export function drawCourse(frame, told) {
  (told.course.kind === "category" ? drawCategories : drawQuantiles)(frame, told);
}

// ---------------------------------------------------------------- where a window is looked at
/** This page, of the window with these ends. */
export function windowAt(startMs, endMs) {
  const address = new URL(window.location.href);
  for (const name of ["against_since", "against_until"]) address.searchParams.delete(name);
  address.searchParams.set("since", startMs);
  address.searchParams.set("until", endMs);
  return address.href;
}

/** Where a click on a place leads: this page, of that window. */
export function picked(course) {
  return (place) => windowAt(course.start_ms[place], course.end_ms[place]);
}

/** How many rows a place is of. */
export function beside(course) {
  return (place) => {
    const read = course.rows[place] < course.of_rows[place] ? ` (${course.rows[place].toLocaleString("en")} read)` : "";
    const incomplete = course.incomplete[place] ? ", incomplete" : "";
    return `n = ${course.of_rows[place].toLocaleString("en")}${read}${incomplete}`;
  };
}

/** Without the windows before the first that has rows. */
export function begun(course) {
  const first = Math.max(0, course.of_rows.findIndex((rows) => rows > 0));
  const cut = (part) => (part.length === course.end_ms.length && part.length ? part.slice(first) : part);
  const lists = (part) => Object.fromEntries(Object.entries(part).map(([name, list]) => [name, cut(list)]));
  const own = ["start_ms", "end_ms", "incomplete", "rows", "of_rows", "panes", "of_panes", "low", "high", "mean", "other", "unseen"];
  return {
    ...course,
    ...Object.fromEntries(own.map((name) => [name, cut(course[name])])),
    missing: lists(course.missing),
    quantiles: lists(course.quantiles),
    categories: course.categories.map(cut),
  };
}

/** One value over all of the time. */
export function flat(value, times) {
  return times.map(() => value ?? null);
}

// ---------------------------------------------------------------- numbers
/** Bands around the median, the reference's beside them. */
export function drawQuantiles(frame, { course: whole }) {
  const course = begun(whole);
  const q = course.quantiles;
  if (!q["0.5"].some((value) => value !== null)) return sayNothing(frame, "No row of this time has a number.");
  const times = course.end_ms;
  const usual = course.reference?.quantiles ?? {};
  const lines = [{ name: "median", values: q["0.5"], tone: "current", width: 2.25 }];
  if (course.mean.some((value) => value !== null)) lines.push({ name: "mean", values: course.mean, tone: "second", dash: "dotted" });
  const levels = { 0.05: "5 % of the reference below", 0.5: "median of the reference", 0.95: "95 % of the reference below" };
  for (const key of ["0.95", "0.5", "0.05"]) {
    if (usual[key] !== undefined) lines.push({ name: levels[key], values: flat(usual[key], times), tone: "reference", dash: key === "0.5" ? "solid" : "dashed" });
  }
  drawSeries(frame, {
    times,
    lines,
    bands: [
      { name: "1 to 99 %", low: q["0.01"], high: q["0.99"], tone: "current" },
      { name: "5 to 95 %", low: q["0.05"], high: q["0.95"], tone: "current" },
      { name: "25 to 75 %", low: q["0.25"], high: q["0.75"], tone: "current" },
    ],
    height: 240,
    said: (place) => `${beside(course)(place)}, lowest ${number(course.low[place])}, highest ${number(course.high[place])}`,
    pick: picked(course),
  });
}

// ---------------------------------------------------------------- categories
/** A line for each of the most frequent categories. */
export function drawCategories(frame, { course: whole }) {
  const course = begun(whole);
  const rows = course.names.map((name, place) => ({ name, values: course.categories[place] }));
  rows.push({ name: "other", values: course.other }, { name: "unseen", values: course.unseen });
  const shown = rows.filter((row, place) => place < MOST_LINES - 1 || row.name === "unseen");
  const lines = shown.map((row, place) => ({ ...row, ...look(place) }));
  const highest = Math.max(0.01, ...lines.flatMap((line) => line.values));
  drawSeries(frame, { times: course.end_ms, lines, range: [0, Math.min(1, 1.15 * highest)], format: share, said: beside(course), pick: picked(course) });
}
