// What a model is compared with: the first traffic, a table that is uploaded, a stored reference, or nothing yet.

import { send } from "./api.js";
import { element } from "./nodes.js";
import { outcome } from "./outcome.js";
import { counted } from "./words.js";

const at = (id) => document.getElementById(id);

/** Brings the choice to life; `model` gives the name of the model that is set up. */
export function referenceIn(root, model) {
  let uploaded = null;
  const choice = () => document.querySelector("input[name=reference]:checked").value;

  async function upload() {
    const said = at("reference-said");
    const [file] = at("table").files;
    if (!file) {
      said.replaceChildren(element("p", { class: "complaint" }, "Choose a file first."));
      return;
    }
    await outcome(said, `Counting ${file.name} …`, async () => {
      const made = await send("POST", `${root}api/v1/references?${query(model())}`, file);
      uploaded = made;
      const text = `Reference ${made.name}: ${counted(made.rows, "row")}, ${counted(made.features.length, "feature")}, task ${made.task}.`;
      const warnings = made.warnings.map((one) => element("p", { class: "quiet" }, one));
      said.replaceChildren(element("p", { class: "said" }, text), ...warnings);
    });
  }

  for (const button of document.querySelectorAll("input[name=reference]")) {
    button.addEventListener("change", () => {
      at("upload").hidden = choice() !== "upload";
    });
  }
  at("send-table").addEventListener("click", upload);

  return {
    /** The reference's name, null for none. */
    name() {
      if (choice() === "upload") return uploaded?.model === model() ? uploaded.name : null;
      return choice() === "stored" ? at("stored").value : null;
    },
    isFirstTraffic: () => choice() === "first",
    /** Shows the references of this model only. */
    offer(name) {
      if (uploaded?.model !== name) at("reference-said").replaceChildren();
      for (const option of at("stored").options) option.hidden = option.dataset.model !== name;
      const own = [...at("stored").options].find((option) => !option.hidden);
      at("stored").value = own?.value ?? "";
      at("stored").hidden = !own;
      at("none-stored").hidden = Boolean(own);
      document.querySelector("input[name=reference][value=stored]").disabled = !own;
      if (!own && choice() === "stored") document.querySelector("input[name=reference][value=first]").checked = true;
    },
  };
}

function query(model) {
  const asked = new URLSearchParams({ model });
  const named = { label: "label-column", prediction: "prediction-column", score: "score-column", name: "reference-name" };
  for (const [key, id] of Object.entries(named)) if (at(id).value.trim()) asked.set(key, at(id).value.trim());
  for (const column of at("exclude-columns").value.split(",")) if (column.trim()) asked.append("exclude", column.trim());
  return asked;
}
