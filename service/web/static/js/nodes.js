// Makes elements. Texts are only ever set as text: names in events are written by strangers.

const SVG = "http://www.w3.org/2000/svg";

/** An element with these attributes and children; a child that is no element is a text. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same of SVG. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A table of texts or elements, in a box that scrolls sideways if it must. `columns` that start with # hold numbers. */
export function table(columns, rows, caption) {
  const heads = columns.map((one) => element("th", { scope: "col", ...kind(one) }, one.replace(/^#/, "")));
  const lines = rows.map((row) =>
    element("tr", {}, ...row.map((cell, place) => element("td", kind(columns[place]), cell))),
  );
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...lines));
  if (caption) made.prepend(element("caption", { class: "unseen" }, caption));
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption ?? "Table" }, made);
}

/** What is behind a chart, made when somebody opens it. */
export function tableBehind(make) {
  const box = element("details", {}, element("summary", {}, "Table"));
  box.addEventListener("toggle", () => {
    if (box.open && box.children.length === 1) box.append(make());
  });
  return box;
}

function kind(column) {
  return column.startsWith("#") ? { class: "number" } : {};
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
