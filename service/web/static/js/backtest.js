// A back-test: how far it is, and what would have paged.

import { getJson, send } from "./api.js";
import { element, table } from "./nodes.js";
import { number, utc } from "./words.js";

const PAUSE_MS = 500;

/** Shows a job until it has ended; `address` gives where to ask after its id. */
export async function followBacktest(job, place, address) {
  const bar = element("progress", { "aria-label": "Days judged" });
  const said = element("span", {}, "Reading what is stored …");
  const stop = element("button", { type: "button" }, "Stop");
  stop.addEventListener("click", () => send("DELETE", address(job.id)).catch(() => {}));
  place.replaceChildren(element("p", { class: "actions" }, bar, said, stop));
  let now = job;
  while (now.state === "running") {
    if (now.total !== null) {
      bar.max = Math.max(1, now.total);
      bar.value = now.done;
      said.textContent = `${now.done} of ${now.total} days judged`;
    }
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    now = await getJson(address(job.id));
  }
  place.replaceChildren(...ended(now));
}

function ended(job) {
  if (job.state === "done") return job.result.map(result);
  if (job.state === "cancelled") return [element("p", {}, "The back-test was stopped.")];
  return job.problems.map((sentence) => element("p", { class: "complaint" }, sentence));
}

function result(one) {
  const rows = one.incidents.map((rung) => [rung.severity, rung.cause, rung.summary, utc(rung.since_ms)]);
  const counts = `${number(one.days)} days, ${number(one.windows)} windows, ${number(one.panes)} stored panes`;
  const made = element(
    "section",
    { class: "told" },
    element("p", { class: "said" }, one.sentence),
    element("p", { class: "quiet" }, counts),
    ...one.notes.map((note) => element("p", { class: "quiet" }, note)),
  );
  if (rows.length) made.append(table(["Rings as", "Cause", "What it would have said", "Since"], rows, "Incidents"));
  if (one.more_incidents) made.append(element("p", {}, `and ${one.more_incidents} more incidents`));
  return made;
}
