// How a model that was just set up goes on: asked again every two seconds for as long as the page is seen.

import { getJson } from "./api.js";
import { element } from "./nodes.js";
import { number, utc } from "./words.js";

const PAUSE_MS = 2000;
let asked = 0;

/** Tells the state of the model and its newest finding in `place`, until another one is followed. */
export async function followModel(api, name, place) {
  asked += 1;
  const mine = asked;
  const quoted = encodeURIComponent(name);
  const addresses = [api(`models/${quoted}`), api(`findings?model=${quoted}&limit=1`)];
  while (mine === asked) {
    if (!document.hidden) await tell(addresses, place);
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

async function tell(addresses, place) {
  try {
    const [model, findings] = await Promise.all(addresses.map((address) => getJson(address)));
    const [finding] = findings.items;
    const event = model.last_event_ms === null ? "none" : utc(model.last_event_ms);
    const end = model.last_window_end_ms === null ? "none yet" : utc(model.last_window_end_ms);
    const said = [model.state, model.sentence, event, end, finding?.end_ms].join("|");
    if (place.dataset.said === said) return; // a screen reader hears news only
    place.dataset.said = said;
    place.dataset.state = model.state;
    place.replaceChildren(
      element("p", { class: `tone ${model.state}` }, element("span", { class: "state" }, model.state), ` ${model.sentence}`),
      element("p", { class: "quiet" }, `Last event: ${event}. Last window: ${end}.`),
      ...(finding ? [newest(finding)] : []),
    );
    place.dataset.findings = findings.items.length;
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    place.replaceChildren(element("p", { class: "complaint" }, problem.message));
    place.dataset.said = "";
  }
}

function newest(one) {
  const score = one.value === null ? (one.reason ?? "not scored") : `${number(one.value)}, limit ${number(one.limit)}`;
  const words = `, ${one.method}: ${score}; ${one.verdict}.`;
  return element("p", {}, "Newest finding: ", element("bdi", {}, one.feature ?? "the whole window"), words);
}
