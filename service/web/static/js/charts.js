// Finds the frames of a page and draws each from its source as soon as somebody could see it.

import { getJson } from "./api.js";
import { element } from "./nodes.js";

const SHARED_MS = 5000;

/** Draw all frames; `drawings` are functions (frame, document) by the kind of the frame. */
export function drawAll(drawings, within = document) {
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        watcher.unobserve(entry.target);
        draw(entry.target, drawings);
      }
    },
    { rootMargin: "400px" },
  );
  for (const frame of within.querySelectorAll("figure[data-chart]")) watcher.observe(frame);
}

/** Draw one frame from its source; why not stands in its place. */
async function draw(frame, drawings) {
  const plot = frame.querySelector(".plot");
  frame.setAttribute("aria-busy", "true");
  try {
    const document = await asked(frame.dataset.source);
    plot.replaceChildren();
    drawings[frame.dataset.chart](frame, document);
    frame.dataset.drawn = "yes";
  } catch (problem) {
    plot.replaceChildren(element("p", { class: "complaint" }, `Not drawn: ${problem.message}`));
    frame.dataset.drawn = "no";
    if (problem.status === undefined) throw problem;
  } finally {
    frame.removeAttribute("aria-busy");
  }
}

const answers = new Map();

/** What several frames are drawn from is asked for once, not once for each. */
function asked(source) {
  if (!answers.has(source)) {
    const answer = getJson(source);
    answers.set(source, answer);
    const forget = () => setTimeout(() => answers.delete(source), SHARED_MS);
    answer.then(forget, forget);
  }
  return answers.get(source);
}

/** Say something below the chart. */
export function say(frame, text) {
  frame.querySelector(".readout").textContent = text;
}

/** A sentence where there is nothing to draw. */
export function sayNothing(frame, sentence) {
  frame.querySelector(".plot").replaceChildren(element("p", { class: "quiet" }, sentence));
}
