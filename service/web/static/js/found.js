// What was found in a topic, as a person reads it: models, features to watch, segments, and what is no event.

import { element, table } from "./nodes.js";
import { counted, number, share, utc } from "./words.js";

/** A choice among the models; `onChoose` is told the chosen one. */
export function modelChoice(models, chosen, onChoose) {
  const options = models.map((one, at) => {
    const button = element("input", { type: "radio", name: "model", value: at, checked: one === chosen ? "" : null });
    button.addEventListener("change", () => onChoose(one));
    const events = element("span", { class: "quiet" }, counted(one.found.events, "event"));
    return element("p", {}, element("label", {}, button, " ", element("bdi", {}, one.found.model)), " ", events);
  });
  return element("fieldset", {}, element("legend", {}, "Which model?"), ...options);
}

/** One model: its facts, and its fields with a box for each that says what to do with it. */
export function modelFound(one) {
  const { found } = one;
  const facts = [
    ["Events", typesOf(found)],
    ["Versions", found.versions.join(", ") || "none named"],
    ["Time", found.first_ms === null ? "none" : `${utc(found.first_ms)} to ${utc(found.last_ms)}`],
    ["Predictions", Object.keys(found.predictions).join(", ") || "none"],
    ["Task", `${found.task}: ${found.task_why}`],
    ["Labels", labelsOf(found.labels)],
  ].flatMap(([word, said]) => [element("dt", {}, word), element("dd", {}, said)]);
  const made = [element("dl", { class: "facts" }, ...facts)];
  if (found.features.length) made.push(fields("Features", found.features, one, true));
  if (found.has_more_features) made.push(element("p", { class: "quiet" }, "It has more features than are looked at here."));
  if (found.tags.length) made.push(fields("Tags", found.tags, one, false));
  return made;
}

/** The names whose boxes are ticked, or not. */
export function ticked(place, use, isOn = true) {
  return [...place.querySelectorAll(`input[data-use=${use}]`)]
    .filter((box) => box.checked === isOn)
    .map((box) => box.value);
}

/** What is no event, and why; nothing where all are. */
export function rejectedFound(rejected) {
  if (!rejected.length) return [];
  const rows = rejected.map((one) => [
    `${one.reason}: ${one.detail}`,
    number(one.records),
    element("code", {}, one.example),
  ]);
  return [element("h3", {}, "No events"), table(["Why", "#Records", "Begins with"], rows, "No events")];
}

function typesOf(found) {
  const types = Object.entries(found.types).map(([kind, count]) => counted(count, kind));
  const rate = found.rhythm.events_per_second;
  return types.join(", ") + (rate === null ? "" : `; ${number(rate)} a second`);
}

function labelsOf(labels) {
  if (!labels.labels) return "none among these records";
  const late = labels.median_delay_ms === null ? "" : `, in the middle ${number(labels.median_delay_ms / 1000)} s later`;
  return `${number(labels.labels)}, ${number(labels.joined)} of predictions read here${late}`;
}

function fields(title, all, one, isFeature) {
  const rows = all.map((field) => [
    element("bdi", {}, field.name),
    ...(isFeature ? [tick("watch", field.name, !one.ids.includes(field.name), `watch ${field.name}`)] : []),
    tick("segment", field.name, one.segments.includes(field.name), `watch each value of ${field.name} by itself`),
    field.kind,
    share(field.missing_ratio),
    field.distinct === null ? "many" : number(field.distinct),
    element("bdi", {}, field.examples.join(", ")),
  ]);
  const rest = ["By value", "Kind", "#Missing", "#Distinct", "Examples"];
  const heads = isFeature ? ["Name", "Watch", ...rest] : ["Name", ...rest];
  return element("section", {}, element("h3", {}, title), table(heads, rows, title));
}

function tick(use, name, isOn, label) {
  return element("input", { type: "checkbox", "data-use": use, value: name, checked: isOn ? "" : null, "aria-label": label });
}
