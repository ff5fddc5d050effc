// One line of the review: the heading of a group, or a row with its decision and what is staged for it. All that is told of it is
// text; what a button does is in its `act`.

import { page } from "./page.js";
import { showRow } from "./selection.js";
import { ago } from "./times.js";

const SHOWN_EFFECTS = 3; // of more one sees how many, and opens them

function make(tag, className, attributes, ...children) {
  const element = Object.assign(document.createElement(tag), { className });
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function button(className, label, act, ...children) {
  const made = make("button", className, { type: "button", ...(label && { "aria-label": label }) }, ...children);
  made.act = act;
  return made;
}

const text = (className, words, attributes = {}) => make("span", className, attributes, words);
const cell = (className, ...children) => make("div", className, { role: "gridcell" }, ...children);

// `height` is what stands for a line that has not come yet.
export function line(told, height) {
  if (!told) return waiting(height);
  return told.title ? heading(told) : row(told);
}

function waiting(height) {
  const line = make("div", "review-waiting", { role: "row", "aria-busy": "true" }, cell("", "…"));
  line.style.height = `${height}px`;
  return line;
}

function heading({ title, count, open }) {
  const name = text("", `${title} · ${count.toLocaleString("en")}`);
  const toggle = button("review-fold", "", null, text("review-chevron", "›", { "aria-hidden": "true" }), name);
  toggle.setAttribute("aria-expanded", open);
  return make("div", "review-heading", { role: "row", "aria-level": 1, "aria-expanded": open }, cell("", toggle));
}

// A `fixed` row is only looked at: it is what somebody else wants done.
function row(told) {
  const name = [told.ip, told.service].filter(Boolean).join(", ");
  const place = { "aria-level": 2, "aria-posinset": told.number, "aria-setsize": told.count };
  return make(
    "div",
    `review-item${told.decision ? " conflict" : ""}`,
    { role: "row", ...place },
    cell("", nameButton(told, name)),
    ...(told.decision ? [decision(told.decision, name, told.fixed)] : []),
    ...told.changes.map((change) => (told.fixed ? cell(`review-line ${change.kind}`, ...effectLine(change)) : changeLine(change, name))),
  );
}

function nameButton({ ip, service, number, count, fixed, link }, name) {
  const parts = [...(ip ? [text("review-ip", ip)] : []), text("review-service", service)];
  const made = fixed
    ? button("review-key", link ? `Go to ${name}` : name, () => link && location.assign(`${rootPath()}${link}`), ...parts)
    : button("review-key", `Show ${name} in the grid`, ({ id }) => show(id), ...parts);
  made.setAttribute("aria-description", `${number.toLocaleString("en")} of ${count.toLocaleString("en")}`);
  return made;
}

const rootPath = () => page.rowsUrl.split("/grid/")[0];

// Where the review covers the grid, as on a phone, it closes.
function show(id) {
  if (getComputedStyle(document.querySelector(".review-list").closest(".review")).position === "fixed") emitEvent("shortcut", { name: "close" });
  showRow(id);
}

function effectLine({ mark, kind, text: words }, ...more) {
  return [text("review-mark", mark, { "aria-hidden": "true" }), text("review-text", words), ...more];
}

function changeLine(change, name) {
  const act = ({ id }) => emitEvent("review", { act: "take-back", id, column: change.column });
  const undo = button("review-undo", `Take back: ${change.text}, ${name}`, act, text("q-icon notranslate material-icons", "undo", { "aria-hidden": "true" }));
  undo.title = "Take back";
  return cell(`review-line ${change.kind}`, ...effectLine(change, undo));
}

// -- what somebody else did meanwhile --------------------------------------------------------------------------------

function decision(told, name, fixed) {
  const said = make("div", "", {}, told.head, ...(told.at ? [" ", make("time", "", { datetime: told.at }, ago(told.at))] : []), told.rest);
  if (fixed) return cell("review-conflict", said, ...effects(told));
  const drop = button("review-choice", `Drop: ${name}`, ({ id }) => emitEvent("review", { act: "take-back", id, column: null }), "Drop");
  const anyway = () => button("review-choice", `${told.confirmation}: ${name}`, ({ id }) => emitEvent("review", { act: "confirm", id }), told.confirmation);
  const choices = make("div", "review-choices", {}, drop, ...(told.confirmation ? [anyway()] : []));
  return cell("review-conflict", said, ...effects(told), choices);
}

function effects({ effects, summary }) {
  const lines = effects.map((each) => make("div", `review-line ${each.kind}`, {}, ...effectLine(each)));
  if (lines.length <= SHOWN_EFFECTS) return lines;
  return [make("details", "", {}, make("summary", "", {}, summary), ...lines)];
}
