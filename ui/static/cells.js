// The grid's cells: boxes, texts and the button of a row's menu, what they say, and how they are marked.

import { flashOf } from "./flashes.js";
import { openHeading, openMenu, tick } from "./grid.js";
import { nameOf, page } from "./page.js";

const WORDS = { grant: 1, staged: 2, removal: 4, flash: 8, unused: 16 }; // bits of a cell's value, so that AG Grid sees any change
const KINDS = {
  [WORDS.staged | WORDS.grant]: () => "a grant",
  [WORDS.staged]: () => "a revocation",
  [WORDS.staged | WORDS.grant | WORDS.removal]: () => `the removal of this ${page.noun}`,
};
const UNUSED = "Granted, and not used for 30 days or more";

export function cellValue({ data, colDef }) {
  if (!data) return 0;
  const { bit } = colDef.cellRendererParams;
  const flash = flashOf(data.id);
  const flashed = flash && (flash.whole || (bit !== null && flash.mask & (1 << bit))) ? WORDS.flash : 0;
  if (bit === null) return (data.removal ? WORDS.grant | WORDS.staged | WORDS.removal : 0) | flashed;
  const mask = 1 << bit;
  return (
    (data.staged & mask ? WORDS.grant : 0) |
    ((data.staged ^ data.stored) & mask && !data.removal ? WORDS.staged : 0) |
    (data.removal ? WORDS.removal : 0) |
    (data.unused & mask ? WORDS.unused : 0) |
    flashed
  );
}

const is = (word, not = 0) => (params) => Boolean(params.value & word) && !(params.value & not);
export const cellClassRules = {
  "cell-grant": (params) => (params.value & 7) === (WORDS.grant | WORDS.staged),
  "cell-revoke": (params) => (params.value & 7) === WORDS.staged,
  "cell-remove": is(WORDS.removal, 0),
  "cell-unused": is(WORDS.unused, WORDS.staged),
  "cell-flash": is(WORDS.flash),
};
export const rowClassRules = {
  "row-removal": ({ data }) => Boolean(data?.removal),
  "row-new": ({ data }) => Boolean(data && data.id < 0),
  "row-removed": ({ data }) => Boolean(data?.removed),
  "row-flash": ({ data }) => Boolean(data && flashOf(data.id)?.whole),
};

export class CheckboxCell {
  init(params) {
    this.box = document.createElement("input");
    this.box.type = "checkbox";
    this.box.tabIndex = -1; // the grid is one Tab stop; the arrow keys move
    this.box.addEventListener("change", () => tick(this.params.node, this.params.column));
    this.refresh(params);
  }
  getGui() {
    return this.box;
  }
  refresh(params) {
    this.params = params;
    const { data, value } = params;
    const { bit, label } = params.colDef.cellRendererParams;
    this.box.style.visibility = data ? "visible" : "hidden";
    if (!data) return true;
    const staged = value & WORDS.staged ? ", staged" : "";
    this.box.checked = Boolean(value & WORDS.grant);
    this.box.disabled = !page.mayChange || data.removed || (bit !== null && Boolean(value & WORDS.removal));
    this.box.setAttribute("aria-label", `${label}, ${nameOf(data)}${staged}`);
    const more = value & WORDS.staged ? `Not submitted yet: ${KINDS[value & 7]()}` : value & WORDS.unused ? UNUSED : "";
    this.box.title = more;
    more ? this.box.setAttribute("aria-description", more) : this.box.removeAttribute("aria-description");
    const by = value & WORDS.flash ? flashOf(data.id)?.by : undefined;
    const cell = params.eGridCell;
    by ? cell.setAttribute("data-by", by) : cell.removeAttribute("data-by");
    return true;
  }
}

// A text, a second line below it where the column has one, and on the column that says so who else has staged something.
export class TextCell {
  init(params) {
    this.cell = document.createElement("span");
    this.refresh(params);
  }
  getGui() {
    return this.cell;
  }
  refresh({ data, colDef }) {
    const { field, cellRendererParams: { more, marks } = {} } = colDef;
    this.cell.replaceChildren(data?.[field] ?? "");
    if (marks && data?.id < 0) this.cell.append(" ", newMark());
    if (marks && data?.conflict) this.cell.append(" ", conflictMark(data.conflict));
    if (marks && data?.others.length) this.cell.append(" ", marksOf(data.others));
    if (marks && data && (data.owner || data.note || data.amended.length)) this.cell.append(" ", textsOf(data));
    if (more && data) this.cell.append(secondLine(data[more]));
    return true;
  }
}

// The owner behind the name; the note is told with it.
function textsOf({ owner, note, amended }) {
  const texts = document.createElement("span");
  texts.className = amended.length ? "cell-owner amended" : "cell-owner";
  texts.textContent = owner || note || "…";
  const staged = amended.length ? `Not submitted yet: another ${amended.join(" and ")}` : "";
  texts.title = [owner && `Owner: ${owner}`, note && `Note: ${note}`, staged].filter(Boolean).join("\n");
  texts.setAttribute("role", "img");
  texts.setAttribute("aria-label", texts.title.replaceAll("\n", ". "));
  return texts;
}

function secondLine(text) {
  const line = document.createElement("span");
  line.className = "cell-more";
  line.textContent = text;
  return line;
}

const CONFLICTS = {
  changed: "Somebody changed it after you staged its removal: decide in the review",
  taken: "Somebody else made a key of this name: decide in the review",
  amended: "Somebody changed its owner, note or key after you staged yours: decide in the review",
};

export function conflictMark(kind) {
  const mark = document.createElement("span");
  mark.className = "conflict-mark";
  mark.textContent = "!";
  mark.title = CONFLICTS[kind] ?? "Decide in the review";
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", mark.title);
  return mark;
}

export function newMark() {
  const mark = document.createElement("span");
  mark.className = "new-mark";
  mark.textContent = "New";
  mark.title = `Not there yet: this ${page.noun} is made when you submit`;
  return mark;
}

export function marksOf(others) {
  const mark = document.createElement("span");
  mark.className = "others";
  mark.textContent = others.map((name) => name.slice(0, 2).toUpperCase()).join(" ");
  mark.title = `${others.join(", ")}: staged changes, not yet submitted`;
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", mark.title);
  return mark;
}

// The heading of a column of boxes, with the button of its menu.
export class BoxHeading {
  init({ displayName, column }) {
    this.heading = document.createElement("span");
    this.heading.className = "box-heading";
    const text = document.createElement("span");
    text.className = "ag-header-cell-text";
    text.textContent = displayName;
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.className = "heading-button";
    button.textContent = "▾";
    button.setAttribute("aria-label", `Actions, ${displayName}`);
    button.addEventListener("click", (event) => {
      event.stopPropagation(); // not sorted
      openHeading(column, button);
    });
    this.heading.append(text, ...(column.getColId() === "remove" ? [] : [button]));
  }
  getGui() {
    return this.heading;
  }
}

export class MenuCell {
  init(params) {
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.tabIndex = -1;
    this.button.className = "row-menu-button";
    this.button.textContent = "⋮";
    this.button.addEventListener("click", () => openMenu(this.params.node, this.button));
    this.refresh(params);
  }
  getGui() {
    return this.button;
  }
  refresh(params) {
    this.params = params;
    this.button.style.visibility = params.data ? "visible" : "hidden";
    if (params.data) this.button.setAttribute("aria-label", `Actions, ${nameOf(params.data)}`);
    return true;
  }
}
