// Writes dead letters to the log again in two steps: first looks what would become of them, then asks.

import { send } from "../api.js";
import { counted } from "../words.js";

const BECOMES = {
  accepted: "would be accepted",
  duplicate: "would be duplicates, and not be counted again",
  late: "would be late: their windows are closed",
  dead: "would be dead letters again",
  tombstone: "would be tombstones",
};

for (const box of document.querySelectorAll("[data-replay]")) prepare(box);

function prepare(box) {
  const [look, write, told] = ["look", "write", "told"].map((name) => box.querySelector(`[data-${name}]`));
  const order = JSON.parse(box.dataset.order);
  const ask = async (button, changes, say) => {
    button.disabled = true;
    told.textContent = "Asking …";
    try {
      told.textContent = say(await send("POST", box.dataset.replay, { ...order, ...changes }));
    } catch (problem) {
      told.textContent = `Not done: ${problem.message}`;
      write.hidden = true;
    }
    button.disabled = false;
  };
  look.disabled = false;
  look.addEventListener("click", () =>
    ask(look, { write: false }, (answer) => {
      const usable = answer.items.filter((one) => one.outcome !== null && one.outcome !== "dead").length;
      write.hidden = usable === 0;
      write.textContent = `Write ${counted(usable, "record")} to the log again`;
      return foretold(answer);
    }),
  );
  write.addEventListener("click", () =>
    ask(write, { write: true }, (answer) => {
      write.hidden = true;
      return `${counted(answer.written, "record")} written to the log again. ${troubles(answer)}`;
    }),
  );
}

/** What would become of them, in a sentence. */
function foretold(answer) {
  if (answer.items.length === 0) return "None is left to replay: each was replayed before.";
  const parts = Object.entries(answer.outcomes).map(([outcome, count]) => `${count.toLocaleString("en")} ${BECOMES[outcome]}`);
  const still = answer.items.find((one) => one.outcome === "dead");
  const why = still ? ` (${still.reason_now}: ${still.detail})` : "";
  return `Of ${counted(answer.items.length, "record")}: ${parts.join(", ")}${why}. ${troubles(answer)}`;
}

function troubles(answer) {
  const first = answer.items.find((one) => one.trouble !== null);
  return first ? `Not to be had: ${first.trouble}.` : "";
}
