// The YAML of monitors: mistakes beside their lines, what would change, what would have paged, and saving.
// Nothing is judged here: each answer is the server's.

import { send } from "./api.js";
import { followBacktest } from "./backtest.js";
import { element } from "./nodes.js";

/** Brings an editor of the page to life. `onSaved` is told what the API answers to saving. */
export function editorIn(box, root, onSaved = () => {}) {
  const text = box.querySelector("textarea");
  const gutter = box.querySelector(".gutter");
  const mistakes = box.querySelector(".mistakes");
  const answer = box.querySelector("[data-answer]");
  const api = (path) => `${root}api/v1/${path}`;
  const yaml = () => ({ yaml: text.value });

  const acts = {
    async validate(found) {
      answer.replaceChildren(...found.monitors.map(understood));
    },
    async diff() {
      const found = await send("POST", api("monitors/diff"), yaml());
      answer.replaceChildren(...found.items.map(difference));
    },
    async backtest() {
      const days = Number(box.querySelector("[data-days]").value);
      const job = await send("POST", api("monitors/backtest"), { ...yaml(), days });
      await followBacktest(job, answer, (id) => api(`backtests/${encodeURIComponent(id)}`));
    },
    async save() {
      const why = box.querySelector("[data-why]").value.trim();
      const order = { ...yaml(), number: Number(box.dataset.number), ...(why ? { why } : {}) };
      const saved = await send("POST", api("monitors"), order);
      box.dataset.number = saved.items[0].number;
      answer.replaceChildren(...saved.items.map(stored));
      onSaved(saved);
    },
  };

  function show(found) {
    text.setAttribute("aria-invalid", found.length > 0);
    number(gutter, text, new Set(found.map((one) => one.line)));
    const lines = text.value.split("\n");
    const items = found.map((one) => mistake(one, lines[one.line - 1] ?? "", () => go(text, one.line)));
    const count = found.length === 1 ? "1 mistake" : `${found.length} mistakes`;
    mistakes.replaceChildren(
      ...(found.length ? [element("p", { class: "complaint" }, `${count}:`), element("ol", {}, ...items)] : []),
    );
  }

  async function act(button) {
    button.disabled = true;
    answer.replaceChildren(element("p", { class: "quiet" }, "Asking …"));
    try {
      // Asked first, so that a mistake is an answer and no failed request, which a browser's console complains about.
      const found = await send("POST", api("monitors/validate"), yaml());
      show(found.mistakes);
      answer.replaceChildren();
      if (found.valid) await acts[button.dataset.act](found);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      show(problem.mistakes.filter((one) => one.line));
      answer.replaceChildren(element("p", { class: "complaint" }, problem.message));
      if (problem.status === 409 && button.dataset.act === "save") answer.append(overtaken());
    } finally {
      button.disabled = false;
    }
  }

  function overtaken() {
    const reload = element("button", { type: "button" }, "Load what is stored");
    reload.addEventListener("click", () => location.reload());
    return element("p", {}, "Copy what you have written, then ", reload);
  }

  text.addEventListener("input", () => number(gutter, text, new Set()));
  text.addEventListener("scroll", () => {
    gutter.scrollTop = text.scrollTop;
  });
  for (const button of box.querySelectorAll("button[data-act]")) {
    button.addEventListener("click", () => act(button));
  }
  number(gutter, text, new Set());

  return {
    /** Shows another text, and what it would change; what is stored now is what saving it will replace. */
    async set(value) {
      text.value = value;
      const found = await send("POST", api("monitors/validate"), yaml());
      show(found.mistakes);
      if (!found.valid) return;
      const { items } = await send("POST", api("monitors/diff"), yaml());
      box.dataset.number = items[0].number;
      answer.replaceChildren(...items.map(difference));
    },
  };
}

/** Line numbers; a line with a mistake has a mark beside its number, too. */
function number(gutter, text, wrong) {
  const count = text.value.split("\n").length;
  const lines = Array.from({ length: count }, (_, at) => {
    const isWrong = wrong.has(at + 1);
    return element("span", { class: isWrong ? "wrong" : null }, `${isWrong ? "✗ " : ""}${at + 1}\n`);
  });
  gutter.replaceChildren(...lines);
  gutter.scrollTop = text.scrollTop;
}

function mistake(found, line, onGo) {
  const link = element("button", { type: "button", class: "line" }, `Line ${found.line}`);
  link.addEventListener("click", onGo);
  return element("li", {}, link, " ", element("code", {}, line.trim()), element("p", {}, found.sentence));
}

function go(text, line) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, one) => sum + one.length + 1, 0);
  const end = text.value.indexOf("\n", start);
  text.focus();
  text.setSelectionRange(start, end < 0 ? text.value.length : end);
}

// ---------------------------------------------------------------- answers
function understood(monitor) {
  const usual = Object.entries(monitor.by_default).map(([key, value]) => `${key}: ${plain(value)}`);
  return element(
    "section",
    { class: "told" },
    element("p", { class: "said" }, "No mistakes in ", element("bdi", {}, monitor.model)),
    element("p", {}, `Budget: ${monitor.budget}.`),
    element("p", { class: "quiet" }, `Taken by default: ${usual.join("; ")}.`),
  );
}

function plain(value) {
  if (Array.isArray(value)) return value.join(", ");
  if (value !== null && typeof value === "object") {
    return Object.entries(value)
      .map(([key, one]) => `${key} ${plain(one)}`)
      .join(", ");
  }
  return String(value);
}

function difference(one) {
  const changes = one.changes.map((sentence) => element("li", {}, sentence));
  const lines = one.diff.split("\n").map((line) => element("span", { class: kindOf(line) }, `${line}\n`));
  const title = element("p", { class: "said" }, element("bdi", {}, one.model), `: ${one.action}`);
  const made = element("section", { class: "told" }, title, element("p", {}, `In force ${one.since}.`));
  if (changes.length) made.append(element("ul", {}, ...changes));
  if (one.diff) {
    made.append(element("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": "Changed lines" }, ...lines));
  }
  return made;
}

function kindOf(line) {
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : null;
}

function stored(one) {
  const what = one.action === "unchanged" ? "nothing has changed" : `saved as number ${one.number}`;
  return element(
    "section",
    { class: "told" },
    element("p", { class: "said" }, element("bdi", {}, one.model), `: ${what}`),
    element("p", {}, `In force ${one.since}.`),
  );
}
