// Keys in the grid and on the page. The grid is one Tab stop: Tab goes in, to the cell where one was, and out, forth and
// back (WCAG 2.1.2).

import { bitOf, grid, isBox, isPrivilege, open, openMenu, tick } from "./grid.js";
import { digit, isDelete, letter, withModifier } from "./keys.js";
import { DIALOG, MENU } from "./popups.js";
import { act, hasSelection, selectByKey } from "./selection.js";
import { openSheet } from "./sheet.js";

// -- in the grid -----------------------------------------------------------------------------------------------------

const removal = () => grid.api.getColumns().find((column) => bitOf(column) === null);
const nthBox = (number) => grid.api.getAllDisplayedColumns().filter(isPrivilege)[number - 1];

function boxOfKey(event, column) {
  if (withModifier(event)) return undefined;
  if (isDelete(event)) return removal();
  const number = isBox(column) ? digit(event) : 0;
  return number ? nthBox(number) : undefined;
}

// What a key does is done in sight.
function tickInSight(node, column) {
  grid.api.ensureIndexVisible(node.rowIndex);
  grid.api.ensureColumnVisible(column);
  tick(node, column);
}

// What a key does to all that is selected.
function actOfKey(event, column) {
  if ((event.ctrlKey || event.metaKey) && letter(event) === "d") return { act: "fill" };
  if (withModifier(event)) return null;
  if (isDelete(event)) return { act: "remove" };
  if (event.key === " " && !event.shiftKey) return { act: "toggle" };
  const number = isBox(column) ? digit(event) : 0;
  const meant = number ? nthBox(number) : undefined;
  return meant ? { act: "toggle", column: meant.getColId() } : null;
}

export function onCellKeyDown({ event, node, column }) {
  if (selecting.has(event)) return;
  const meantForAll = hasSelection() && column.getColId() !== "menu" ? actOfKey(event, column) : null;
  if (meantForAll) {
    if (!event.repeat) act(meantForAll);
    return;
  }
  const meant = boxOfKey(event, column);
  if (meant) {
    event.preventDefault();
    if (!event.repeat) tickInSight(node, meant);
  } else if (event.key === " " && isBox(column)) {
    event.preventDefault();
    if (!event.repeat) tickInSight(node, column);
  } else if (column.getColId() === "card" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    openSheet(node);
  } else if (column.getColId() !== "menu" && event.key === "Enter" && !withModifier(event)) {
    event.preventDefault();
    open(node, column);
  } else if (column.getColId() === "menu" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    openMenu(node, event.target.querySelector("button") ?? event.target);
  }
}

const selecting = new WeakSet(); // keys that select mean nothing else; AG Grid tells of each once more, later

export function suppressKeyboardEvent({ event, node, column, api }) {
  if (event.type === "keydown" && selectByKey(event, node, column)) {
    event.preventDefault();
    selecting.add(event);
    return true;
  }
  if (hasSelection() && actOfKey(event, column)) event.preventDefault(); // Ctrl+D is the browser's bookmark
  // As in other grids: within the row, and with Ctrl to the first or last row. The grid's own goes there without Ctrl.
  if (!["Home", "End"].includes(event.key)) return false;
  if (event.type !== "keydown") return true;
  event.preventDefault();
  const forth = event.key === "End";
  const last = api.getDisplayedRowCount() - 1;
  const row = !(event.ctrlKey || event.metaKey) ? node.rowIndex : forth ? last : 0;
  api.ensureIndexVisible(row);
  api.setFocusedCell(row, api.getAllDisplayedColumns().at(forth ? -1 : 0));
  return true;
}

// AG Grid asks where the focus goes that comes from outside.
export function enterGrid({ api }) {
  if (!api.getDisplayedRowCount()) return false;
  const cell = api.getFocusedCell();
  const row = Math.min(cell?.rowIndex ?? 0, api.getDisplayedRowCount() - 1);
  api.ensureIndexVisible(row);
  api.setFocusedCell(row, cell?.column.isVisible() ? cell.column : api.getAllDisplayedColumns()[0]);
  return true;
}

// AG Grid would walk from cell to cell and from row to row; the browser's own Tab would meet the grid's guards.
function leaveGrid(event) {
  const left = event.key === "Tab" && !event.ctrlKey && !event.altKey && event.target.closest?.(".grid");
  if (!left) return;
  const side = event.shiftKey ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
  const all = [...document.querySelectorAll(TABBABLE)].filter(isStop);
  const there = all.filter((element) => left.compareDocumentPosition(element) & side);
  const stops = there.length ? there : all; // where nothing follows, on from the other end of the page
  const next = event.shiftKey ? stops.at(-1) : stops[0];
  event.stopImmediatePropagation();
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const TABBABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

function isStop(element) {
  return element.tabIndex >= 0 && !element.disabled && !element.closest("[inert], .grid") && element.checkVisibility();
}

// What is typed in the grid, and means nothing there, is searched for. Here, because AG Grid tells of a key too late: the
// character must find the field focused.
function searchFor(event) {
  const cell = event.target.closest?.(".grid .ag-cell");
  if (selecting.has(event) || !cell || withModifier(event) || [...event.key].length !== 1 || " ?/".includes(event.key)) return;
  if (cell.classList.contains("cell-checkbox") && digit(event)) return;
  focusSearch();
}

function focusSearch() {
  const search = document.querySelector("input[type=search]");
  search?.focus();
  search?.select();
}

// -- on the page -----------------------------------------------------------------------------------------------------

function moveInMenu(event) {
  const items = [...document.querySelectorAll(`${MENU} [role^=menuitem]`)];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!items.length || !step) return;
  event.preventDefault();
  const now = items.indexOf(document.activeElement);
  items.at(now < 0 && step < 0 ? -1 : (now + step) % items.length).focus();
}

// From the panel, and from the grid beside it once nothing is selected there.
function closesPanel(event) {
  if (document.querySelector(`${MENU}, ${DIALOG}`)) return false;
  return event.target.closest(".review") || (event.target.closest(".grid") && !selecting.has(event));
}

const WITHOUT_GRID = ["close", "search"]; // what a view of another kind has too

function shortcutOf(event) {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, [contenteditable=true]");
  const control = (event.ctrlKey || event.metaKey) && !event.altKey;
  const key = letter(event);
  if (control && key === "z" && !typing) return event.shiftKey ? "redo" : "undo";
  if (control && key === "y" && !typing) return "redo";
  if ((event.ctrlKey || event.metaKey) && key === "s") return "review";
  if (event.key === "Escape" && closesPanel(event)) return "close";
  return !typing && !withModifier(event) ? { "?": "help", "/": "search" }[event.key] : undefined;
}

function onKeyDown(event) {
  moveInMenu(event);
  const shortcut = shortcutOf(event);
  if (!shortcut || !(grid.api || WITHOUT_GRID.includes(shortcut)) || (shortcut === "search" && document.querySelector(DIALOG))) return;
  event.preventDefault();
  if (shortcut === "search") focusSearch();
  else emitEvent("shortcut", { name: shortcut });
}

addEventListener("keydown", leaveGrid, true);
addEventListener("keydown", searchFor);
addEventListener("keydown", onKeyDown);
