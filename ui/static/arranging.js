// How the columns stand. Python tells it, for this admin; what is done to a heading is told back. Not on a phone: there a row
// is a card, and all of it can be seen.

import { grid } from "./grid.js";
import { narrow, page } from "./page.js";

const TOLD_AFTER_MS = 250;

let telling = 0;

export function arrange(arrangement) {
  page.arrangement = arrangement;
  if (!narrow.matches) apply();
}

function apply() {
  const { columns, density, rowHeight } = page.arrangement;
  document.dispatchEvent(new Event("authkeys-view")); // what is hidden now is not selected any more
  grid.api.applyColumnState({ state: columns, applyOrder: true });
  grid.api.setGridOption("rowHeight", rowHeight);
  document.querySelector(".grid").dataset.density = density;
}

// -- what the admin does ---------------------------------------------------------------------------------------------

export function onColumnMoved({ finished, source }) {
  if (!finished || source !== "uiColumnMoved") return;
  document.dispatchEvent(new Event("authkeys-view"));
  tellSoon();
}

export function onColumnResized({ finished, source }) {
  if (finished && ["uiColumnResized", "autosizeColumns"].includes(source)) tellSoon();
}

function tellSoon() {
  clearTimeout(telling);
  telling = setTimeout(tell, TOLD_AFTER_MS);
}

function tell() {
  if (narrow.matches || !page.arrangement) return;
  const arranged = new Set(page.arrangement.columns.map(({ colId }) => colId));
  const columns = grid.api.getColumnState().filter(({ colId }) => arranged.has(colId));
  page.arrangement = { ...page.arrangement, columns: columns.map(({ colId, hide, width, flex }) => ({ colId, hide, width, flex })) };
  emitEvent("arranged", { columns: columns.map(({ colId, width, flex }) => ({ id: colId, width: flex ? null : Math.round(width) })) });
}

// -- a phone ---------------------------------------------------------------------------------------------------------

function onNarrow() {
  if (!page.arrangement) return;
  if (!narrow.matches) apply();
  emitEvent("narrow", { narrow: narrow.matches });
}

export function startArranging() {
  narrow.addEventListener("change", onNarrow);
  if (narrow.matches) onNarrow();
}
