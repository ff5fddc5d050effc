// Copy and paste by the browser's own events, which work without https too.

import { bitOf, grid, isBox, isPrivilege } from "./grid.js";
import { say } from "./notices.js";
import { page } from "./page.js";
import { claim, hasSelection } from "./selection.js";
import { send } from "./uploads.js";

const COPIED_HERE = 2000; // rows; of more the server makes the text

let ready = null; // {of, text}: what the server made for a copy, which only the next Ctrl+C of the same selection may take

const focused = () => grid.api?.getFocusedCell();
const inGrid = () => Boolean(document.activeElement?.closest(".grid .ag-cell"));

// -- copy ------------------------------------------------------------------------------------------------------------

function valueOf(row, id) {
  const bit = bitOf(grid.api.getColumn(id));
  if (bit === null) return row.removal ? "1" : "0";
  return bit === undefined ? (row[id] ?? "") : row.staged & (1 << bit) ? "1" : "0";
}

// A text as a spreadsheet gives it back, unchanged and not run (models/spreadsheets.py).
const RUN = /^[=+\-@\t\r\n'#]/;
const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,14})$/;
const MONTH = "(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)";
const READ_OTHERWISE = new RegExp(
  "^([.,]?[0-9][0-9,]*[.,]?[0-9]*(e[+-]?[0-9]+)?%?|[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{1,4})?|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[ap]m?)?" +
    `|([0-9]{1,2}[ /-]?)?${MONTH}[ /-]?[0-9]{1,4}|[0-9]{1,4}[ /-]?${MONTH}|true|false)$`,
  "i",
);
const toCell = (text) => (RUN.test(text) || (READ_OTHERWISE.test(text) && !WHOLE_NUMBER.test(text)) ? `'${text}` : text);
const quoted = (text) => (/["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// The text of one stretch, if all of its rows are here.
function textOf({ first, last, columns }) {
  const lines = [columns.join("\t")];
  for (let index = first; index <= last; index++) {
    const row = grid.api.getDisplayedRowAtIndex(index)?.data;
    if (!row) return null;
    lines.push(columns.map((id) => quoted(toCell(String(valueOf(row, id))))).join("\t"));
  }
  return `${lines.join("\n")}\n`;
}

async function fetchText(selected) {
  const answer = await fetch(`${page.rowsUrl}/copy?${page.query}`, { method: "POST", body: JSON.stringify(selected) }).catch(() => null);
  if (answer?.ok) return await answer.text();
  say((await answer?.json().catch(() => null))?.error ?? "Nothing was copied: the server does not answer.");
  return null;
}

const rowsIn = ({ stretches }) => stretches.reduce((sum, { first, last }) => sum + last - first + 1, 0);
const told = (rows) => say(`Copied ${rows.toLocaleString("en")} row${rows === 1 ? "" : "s"}, with a heading`);

function onCopy(event) {
  if (!inGrid() || !getSelection().isCollapsed) return;
  const cell = focused();
  if (!hasSelection()) {
    const row = grid.api.getDisplayedRowAtIndex(cell.rowIndex)?.data;
    if (!row || cell.column.getColId() === "menu") return;
    event.clipboardData.setData("text/plain", String(valueOf(row, cell.column.getColId())));
    event.preventDefault();
    return;
  }
  const selected = claim();
  const rows = rowsIn(selected);
  const text = takeReady(selected) ?? (selected.stretches.length === 1 && rows <= COPIED_HERE ? textOf(selected.stretches[0]) : null);
  event.preventDefault();
  if (text === null) return void copyFromServer(selected, rows);
  event.clipboardData.setData("text/plain", text);
  told(rows);
}

function takeReady(selected) {
  const taken = ready?.of === JSON.stringify(selected) ? ready.text : null;
  ready = null;
  return taken;
}

async function copyFromServer(selected, rows) {
  const text = await fetchText(selected);
  if (text === null) return;
  try {
    await navigator.clipboard.writeText(text);
    told(rows);
  } catch {
    ready = { of: JSON.stringify(selected), text }; // no https, or too late for the key that was pressed
    say(`${rows.toLocaleString("en")} rows are ready: press Ctrl+C (on a Mac ⌘C) once more.`);
  }
}

export function copySelection() {
  if (!inGrid() && focused()) grid.api.setFocusedCell(focused().rowIndex, focused().column);
  document.execCommand("copy");
}

// -- paste ---------------------------------------------------------------------------------------------------------

function onPaste(event) {
  if (!page.mayChange || !inGrid()) return;
  const text = event.clipboardData.getData("text/plain");
  if (!text) return;
  event.preventDefault();
  const { rowIndex, column } = focused();
  const all = grid.api.getAllDisplayedColumns();
  const boxes = isBox(column) ? all.slice(all.indexOf(column)).filter(isPrivilege) : [];
  send(text, { row: rowIndex, columns: boxes.map((each) => each.getColId()) });
}

document.addEventListener("copy", onCopy);
document.addEventListener("paste", onPaste);
