// Set-up, step by step. What was chosen stands in the address; what was found is asked for again.

import { send } from "../api.js";
import { editorIn } from "../editor.js";
import { modelChoice, modelFound, rejectedFound, ticked } from "../found.js";
import { element } from "../nodes.js";
import { outcome } from "../outcome.js";
import { referenceIn } from "../reference.js";
import { followModel } from "../waiting.js";
import { counted } from "../words.js";

const root = document.body.dataset.root;
const api = (path) => `${root}api/v1/${path}`;
const at = (id) => document.getElementById(id);
const chosen = { topic: null, model: null, saved: null };
const reference = referenceIn(root, () => chosen.model?.found.model);
const editor = editorIn(document.querySelector("[data-editor]"), root, showSaved);

// ---------------------------------------------------------------- 1. the topic
async function sniff() {
  const form = at("sniff");
  chosen.topic = form.elements.topic.value;
  await outcome(at("sniffed"), "Reading its last records …", async () => {
    const order = { topic: chosen.topic, records: Number(form.elements.records.value) };
    const found = await send("POST", api("topics/sniff"), order);
    const all = counted(found.partitions, "partition");
    const partitions = found.looked_at < found.partitions ? `${found.looked_at} of ${all}` : all;
    const said = `${counted(found.records, "record")} of ${partitions}: ${found.format}.`;
    at("sniffed").replaceChildren(element("p", { class: found.models.length ? "said" : "complaint" }, said));
    if (!found.models.length) at("sniffed").append(...rejectedFound(found.rejected));
    show("step-found", found.models.length > 0);
    if (found.models.length) choose(found, found.models.find((one) => one.found.model === wanted()) ?? found.models[0]);
  });
}

function wanted() {
  return new URLSearchParams(location.search).get("model");
}

// ---------------------------------------------------------------- 2. what was found
function choose(found, model) {
  chosen.model = model;
  remember();
  const models = found.models.length > 1 ? [modelChoice(found.models, model, (one) => choose(found, one))] : [];
  at("models").replaceChildren(...models);
  at("found").replaceChildren(...modelFound(model), ...rejectedFound(found.rejected));
  at("task").value = model.found.task;
  const { rhythm } = model.found;
  at("rhythm").textContent = `${rhythm.why}.`;
  at("pane").value = duration(rhythm.pane_ms);
  at("windows").value = rhythm.windows.map((one) => duration(one.length_ms)).join(", ");
  reference.offer(model.found.model);
  for (const step of ["step-reference", "step-windows"]) show(step, true);
  show("step-saved", false);
}

function remember() {
  const query = new URLSearchParams({ topic: chosen.topic, model: chosen.model.found.model });
  history.replaceState(null, "", `?${query}`);
}

function duration(ms) {
  const units = [["d", 86400000], ["h", 3600000], ["m", 60000], ["s", 1000], ["ms", 1]];
  let rest = ms;
  return units.reduce((text, [unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count ? `${text}${count}${unit}` : text;
  }, "");
}

// ---------------------------------------------------------------- 4. windows and budget
function sayBudget() {
  const pages = Number(at("false-pages").value);
  const period = at("per").selectedOptions[0].textContent;
  at("budget-said").textContent =
    `At most ${counted(pages, "false page")} in ${period}: all limits follow from this, for any number of features, ` +
    "windows and segments. A larger budget finds smaller changes and wakes somebody for nothing more often.";
}

async function draft() {
  await outcome(at("drafted"), "Drafting …", async () => {
    const order = { topic: chosen.topic, found: chosen.model.found, choices: choices() };
    const made = await send("POST", api("monitors/draft"), order);
    const wrong = made.mistakes.map((one) => element("p", { class: "complaint" }, one.sentence));
    at("drafted").replaceChildren(...wrong);
    at("advice").replaceChildren(...made.advice.map((sentence) => element("li", {}, sentence)));
    await editor.set(made.yaml);
    show("step-monitor", true);
    at("step-monitor").focus();
  });
}

function choices() {
  const listed = (id) => at(id).value.split(",").map((one) => one.trim()).filter(Boolean);
  return {
    task: at("task").value,
    reference: reference.name(),
    pane: at("pane").value.trim(),
    windows: listed("windows"),
    allowed_lateness: at("lateness").value.trim(),
    false_pages: Number(at("false-pages").value),
    per: at("per").value,
    segments: ticked(at("found"), "segment"),
    ignored: ticked(at("found"), "watch", false),
  };
}

// ---------------------------------------------------------------- 6. saved
function showSaved(saved) {
  const { model, number, since } = saved.items[0];
  chosen.saved = model;
  const link = element("a", { href: `${root}models/${encodeURIComponent(model)}` }, "Its page");
  at("saved").replaceChildren(
    element("p", {}, element("bdi", {}, model), `: number ${number}, in force ${since}. `, link, " shows how it goes on."),
    element("p", { class: "quiet" }, "Collectors count its events from now on, evaluators score each window when it ends."),
  );
  at("accepted").replaceChildren();
  show("learn", reference.isFirstTraffic());
  show("step-saved", true);
  at("step-saved").focus();
  followModel(api, model, at("live"));
}

async function accept() {
  await outcome(at("accepted"), "Learning …", async () => {
    const order = { model: chosen.saved, last: at("last").value.trim(), why: at("learn-why").value };
    const made = await send("POST", api("references/accept"), order);
    const said = `The reference is ${made.name}, of ${counted(made.rows, "event")}; in force from event time ${made.since} on.`;
    at("accepted").replaceChildren(element("p", { class: "said" }, said));
  });
}

// ---------------------------------------------------------------- all of them
function show(id, isShown) {
  at(id).hidden = !isShown;
}

at("sniff")?.addEventListener("submit", (event) => {
  event.preventDefault();
  sniff();
});
at("draft").addEventListener("click", draft);
at("accept").addEventListener("click", accept);
for (const id of ["false-pages", "per"]) at(id).addEventListener("input", sayBudget);
sayBudget();
if (at("sniffed").dataset.again && at("sniff")) sniff();
