// The selection of rows and boxes: corners and columns of the view, drawn on the cells that are shown. Which rows it means
// beyond those, and what is done to them, the server knows.

import { grid, indexOf } from "./grid.js";
import { letter } from "./keys.js";
import { say } from "./notices.js";
import { page } from "./page.js";

const TOLD_AFTER_MS = 120;
const HEAD = ["menu", "card"]; // columns that hold nothing to select

let ranges = []; // {from, to: {index, id, column}, columns: Set of ids, whole: all rows of the view}
let anchor = null; // where a drag, or a Shift, begins
let dragging = false;
let dragged = false; // the press that is ending was no click
let telling = 0;
let told = false;

export const hasSelection = () => ranges.length > 0;
export const wasDragged = () => dragged;

const columnsOf = () => grid.api.getAllDisplayedColumns().map((column) => column.getColId()).filter((id) => !HEAD.includes(id));
const lastIndex = () => grid.api.getDisplayedRowCount() - 1;
const top = ({ from, to, whole }) => (whole ? 0 : Math.min(from.index, to.index));
const bottom = ({ from, to, whole }) => (whole ? lastIndex() : Math.max(from.index, to.index));
const place = (index, column) => ({ index, id: grid.api.getDisplayedRowAtIndex(index)?.data?.id ?? null, column });

function between(one, other) {
  const ids = columnsOf();
  const [first, last] = [ids.indexOf(one), ids.indexOf(other)].sort((a, b) => a - b);
  return new Set(ids.slice(Math.max(first, 0), last + 1));
}

const range = (from, to) => ({ from, to, columns: between(from.column, to.column), whole: false });

function isSelected(index, column) {
  return ranges.some((each) => each.columns.has(column) && index >= top(each) && index <= bottom(each));
}

// -- drawing and telling ---------------------------------------------------------------------------------------------

export function drawSelection() {
  complete();
  for (const row of document.querySelectorAll(".grid .ag-row")) {
    const index = Number(row.getAttribute("row-index"));
    for (const cell of row.children) {
      const is = hasSelection() && isSelected(index, cell.getAttribute("col-id"));
      if (cell.classList.contains("cell-selected") !== is) cell.classList.toggle("cell-selected", is);
      is ? cell.setAttribute("aria-selected", "true") : cell.removeAttribute("aria-selected");
    }
  }
}

export const selectedRule = ({ rowIndex, column }) => hasSelection() && isSelected(rowIndex, column.getColId());

// A corner that was chosen before its row had come: the server does nothing to rows that nobody has seen there.
function complete() {
  const missing = ranges.flatMap(({ from, to, whole }) => (whole ? [] : [from, to])).filter(({ id }) => id === null);
  for (const corner of missing) corner.id = place(corner.index).id;
  if (missing.some(({ id }) => id !== null)) tellSoon();
}

function tellSoon() {
  clearTimeout(telling);
  telling = setTimeout(tell, TOLD_AFTER_MS);
}

function select(next) {
  ranges = next;
  drawSelection();
  tellSoon();
}

function tell() {
  clearTimeout(telling);
  telling = 0;
  if (!told && !ranges.length) return;
  told = ranges.length > 0;
  emitEvent("selected", claim());
}

// At once, before something that is about it.
export function tellNow() {
  if (telling) tell();
}

// Do something to all of it, as it is at this moment.
export function act(what) {
  tellNow();
  emitEvent("act", what);
}

// What the server is told of it.
export function claim() {
  return {
    stretches: ranges.map((each) => {
      const [first, last] = each.from.index <= each.to.index ? [each.from, each.to] : [each.to, each.from];
      return {
        first: top(each),
        last: bottom(each),
        firstId: each.whole ? null : first.id,
        lastId: each.whole ? null : last.id,
        whole: each.whole,
        columns: [...each.columns],
      };
    }),
  };
}

export function clearSelection() {
  anchor = null;
  if (ranges.length) select([]);
}

// -- the pointer -----------------------------------------------------------------------------------------------------

// The DOM's own events: AG Grid tells of them later, when the click may be over.

function placeOf(target) {
  const cell = target.closest?.(".grid .ag-cell");
  const column = cell?.getAttribute("col-id");
  if (!cell || page.opens || HEAD.includes(column)) return null;
  const here = place(Number(cell.closest(".ag-row").getAttribute("row-index")), column);
  return here.id === null ? null : here;
}

function onDown(event) {
  dragged = false;
  const here = event.button === 0 && event.pointerType === "mouse" ? placeOf(event.target) : null;
  if (!here) return;
  if (event.shiftKey && anchor) extendTo(here);
  else if (event.ctrlKey || event.metaKey) {
    anchor = here;
    select([...ranges, range(here, here)]);
  } else {
    clearSelection();
    anchor = here;
    dragging = true;
    return;
  }
  dragged = true;
  grid.api.setFocusedCell(here.index, here.column);
}

// Texts are not selected by a press that selects cells.
function onMouseDown(event) {
  if (dragged && placeOf(event.target)) event.preventDefault();
}

function onOver({ target, buttons }) {
  const here = dragging && buttons & 1 ? placeOf(target) : null;
  if (!here || (!dragged && anchor.index === here.index && anchor.column === here.column)) return;
  if (!dragged) getSelection().removeAllRanges();
  dragged = true;
  document.querySelector(".grid").classList.add("selecting");
  extendTo(here);
}

function extendTo(head) {
  const last = ranges.at(-1);
  const next = range(anchor, head);
  if (last?.wide) Object.assign(next, { columns: last.columns, wide: true }); // whole rows stay whole
  select([...ranges.slice(0, -1), { ...next, whole: last?.whole ?? false }]);
}

function onUp() {
  dragging = false;
  document.querySelector(".grid")?.classList.remove("selecting");
}

// A click that selected must not also tick.
function onClick(event) {
  if (!dragged || !event.target.closest?.(".grid .ag-cell")) return;
  dragged = false;
  event.preventDefault();
  event.stopImmediatePropagation();
}

// Beyond the upper or lower edge the rows move along.
function onMove({ clientY, buttons }) {
  if (!dragged || !dragging || !(buttons & 1)) return;
  const { top: upper, bottom: lower } = document.querySelector(".grid .ag-body-viewport").getBoundingClientRect();
  const step = clientY > lower ? 1 : clientY < upper ? -1 : 0;
  const head = ranges.at(-1)?.to;
  if (step && head) moveHead(head, step, 0, false);
}

addEventListener("pointerdown", onDown, true);
addEventListener("mousedown", onMouseDown, true);
addEventListener("pointerover", onOver, true);
addEventListener("pointerup", onUp, true);
addEventListener("pointercancel", onUp, true);
addEventListener("pointermove", onMove);
addEventListener("click", onClick, true);

// -- the keyboard ----------------------------------------------------------------------------------------------------

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0] };

const moves = ({ key }) => Boolean(ARROWS[key]) || key === "Home" || key === "End";

function moveHead(head, rows, columns, toEnd) {
  const ids = columnsOf();
  const far = toEnd ? Infinity : 1;
  const bounded = (value, last) => Math.max(0, Math.min(last, value));
  const index = bounded(head.index + (rows ? rows * far : 0), lastIndex());
  const column = ids[bounded(ids.indexOf(head.column) + (columns ? columns * far : 0), ids.length - 1)];
  grid.api.ensureIndexVisible(index);
  grid.api.ensureColumnVisible(column);
  grid.api.setFocusedCell(index, column);
  extendTo(place(index, column));
}

// All rows of the view, also those never loaded.
export function selectColumns(ids) {
  select([{ from: place(0, ids[0]), to: place(lastIndex(), ids.at(-1)), columns: new Set(ids), whole: true }]);
}

function spread({ rows, columns }) {
  const now = ranges.length ? ranges : [range(anchor, anchor)];
  const ids = columnsOf();
  select(
    now.map((each) => ({
      ...each,
      whole: each.whole || columns,
      columns: rows ? new Set(ids) : each.columns,
      wide: rows || each.wide,
    })),
  );
}

// The keys that select; whether this was one of them.
export function selectByKey(event, node, column) {
  const control = event.ctrlKey || event.metaKey;
  const here = place(node.rowIndex, column.getColId());
  if (page.opens || HEAD.includes(here.column)) return false;
  if (control && !event.shiftKey && !event.altKey && letter(event) === "a") {
    anchor = here;
    selectColumns(columnsOf());
    return true;
  }
  if (event.key === " " && (event.ctrlKey || event.shiftKey)) {
    if (!ranges.length) anchor = here;
    spread({ rows: event.shiftKey, columns: event.ctrlKey });
    return true;
  }
  if (event.shiftKey && !event.altKey && moves(event)) {
    if (!ranges.length) anchor = here;
    const head = ranges.at(-1)?.to ?? here;
    const forth = event.key === "End" ? 1 : -1;
    if (ARROWS[event.key]) moveHead(head, ...ARROWS[event.key], control);
    else moveHead(head, control ? forth : 0, forth, true);
    return true;
  }
  if (event.key === "Escape" && ranges.length) {
    clearSelection();
    return true;
  }
  if (!control && !event.shiftKey && moves(event)) clearSelection();
  return false;
}

// -- when rows come and go -------------------------------------------------------------------------------------------

// The selection keeps its rows: those at its corners, wherever they stand now.
async function relocate() {
  const before = ranges;
  const corners = before.filter(({ whole }) => !whole).flatMap(({ from, to }) => [from, to]).filter(({ id }) => id !== null);
  const unknown = corners.filter(({ id }) => indexOf(id) === null).map(({ id }) => id);
  const places = unknown.length ? await askPlaces(unknown) : {};
  if (!before.length || before !== ranges || !places) return; // another one by now; or nobody knows where it is
  for (const corner of corners) corner.index = indexOf(corner.id) ?? places[corner.id] ?? -1;
  select(before.filter(({ whole, from, to }) => whole || (from.index >= 0 && to.index >= 0)));
}

document.addEventListener("authkeys-moved", relocate);
document.addEventListener("authkeys-view", clearSelection);

// Scroll to a row, wherever it stands in the view, and focus it.
export async function showRow(id) {
  const places = indexOf(id) === null ? await askPlaces([id]) : { [id]: indexOf(id) };
  const index = places?.[id] ?? null;
  if (index === null) return say("The view does not show it: clear search and filters.");
  if (document.documentElement.classList.contains("cards")) emitEvent("shortcut", { name: "close" }); // it covers the cards
  grid.api.ensureIndexVisible(index, "middle");
  grid.api.setFocusedCell(index, grid.api.getAllDisplayedColumns()[0]);
}

async function askPlaces(ids) {
  const parameters = new URLSearchParams(page.query);
  parameters.set("ids", [...new Set(ids)].join(","));
  const response = await fetch(`${page.rowsUrl}/places?${parameters}`).catch(() => null);
  return response?.ok ? await response.json() : null;
}
