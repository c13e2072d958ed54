// The key of a chart: what its marks look like, and what they mean.

import { element, shape } from "./nodes.js";

/** A line of entries. */
export function keyOf(...entries) {
  return element("p", { class: "key" }, ...entries);
}

/** A sample, drawn in a box of 24 by 12, and its words. */
export function entry(words, sample) {
  return element("span", {}, shape("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, sample), ` ${words}`);
}

/** A sample that is filled with a token's colour. */
export function filled(token, attributes = {}) {
  const sample = shape("rect", { width: 24, height: 12, ...attributes });
  sample.style.fill = `var(--${token})`;
  return sample;
}
