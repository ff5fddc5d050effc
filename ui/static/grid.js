// The grid: what it is told of rows and answers for them, and how the shown ones stay in place when others come and go.

import * as blocks from "./blocks.js";
import { page } from "./page.js";
import * as ticks from "./ticks.js";

export const grid = { api: null };

const shownRow = (id) => grid.api?.getRowNode(String(id))?.data;

export const datasource = blocks.datasource(shownRow, counted, settle);
export const rowId = ({ data }) => String(data.id);

// What a column's box stands for: a bit of the privileges; null is Remove?'s, and a column without boxes has none.
export const bitOf = (column) => column?.getColDef().cellRendererParams?.bit;
export const isBox = (column) => bitOf(column) !== undefined;
export const isPrivilege = (column) => isBox(column) && bitOf(column) !== null;

function counted(rows, exactly) {
  if (exactly || grid.api.getDisplayedRowCount() < rows) grid.api.setRowCount(rows, exactly);
}

// -- rows ------------------------------------------------------------------------------------------------------------

export function replace(row) {
  blocks.note(row);
  const node = grid.api?.getRowNode(String(row.id));
  if (!node?.data || blocks.isOlder(row, node.data)) return;
  draw(node, ticks.withPending({ ...row, others: row.others ?? node.data.others }));
}

// What another admin has staged something for, and for what no more.
export function mark(name, staged, cleared) {
  const without = (row) => row.others.filter((each) => each !== name);
  const change = (row) => {
    if (staged.includes(row.id)) return { ...row, others: [...without(row), name].sort() };
    return cleared.includes(row.id) ? { ...row, others: without(row) } : row;
  };
  blocks.noteMarks(change);
  for (const id of [...staged, ...cleared]) {
    const node = grid.api?.getRowNode(String(id));
    if (node?.data) draw(node, change(node.data));
  }
}

// Not setData(): that makes the row's cells anew, and a click that has begun on one of them never ends.
export function draw(node, row) {
  node.updateData(row);
  // Texts show more than the value that the grid compares.
  grid.api.refreshCells({ rowNodes: [node], columns: grid.api.getColumns().filter(isText), force: true });
  document.dispatchEvent(new Event("authkeys-rows"));
}

const isText = (column) => ["cell-text", "cell-card"].includes(column.getColDef().cellClass);

export function tick(node, column) {
  const row = node.data;
  const bit = bitOf(column);
  if (!row || row.removed || !page.mayChange || (bit !== null && row.removal)) return;
  draw(node, ticks.ticked(row, ticks.add(row, column.getColId(), bit)));
}

function anchorMenu(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  const anchor = document.getElementById("row-menu-anchor");
  Object.assign(anchor.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
}

// The menu of a column of boxes.
export function openHeading(column, element) {
  if (!isPrivilege(column)) return;
  anchorMenu(element);
  emitEvent("heading", { column: column.getColId() });
}

export function openMenu(node, button, column) {
  if (!node.data) return;
  anchorMenu(button);
  emitEvent("menu", { id: node.data.id, column: column?.getColId() ?? null });
}

// What is known of a row, or of one box: opened beside the grid.
export function open(node, column) {
  if (node.data) emitEvent("open", { id: node.data.id, column: column.getColId() });
}

export function onCellClicked({ node, column }) {
  if (page.opens) open(node, column);
}

export function onCellContextMenu({ node, column, event }) {
  const cell = event.target.closest(".ag-cell");
  if (!cell) return;
  page.opens ? open(node, column) : openMenu(node, cell, column);
}

// A click that began on a cell which the grid has made anew since (pointer.js).
export function activate(id, columnId) {
  const node = grid.api.getRowNode(id);
  const column = grid.api.getColumn(columnId);
  if (!node?.data || !column) return;
  const cell = document.querySelector(`.ag-row[row-id="${CSS.escape(id)}"] [col-id="${columnId}"]`);
  if (columnId !== "menu") tick(node, column);
  else if (cell) openMenu(node, cell.querySelector("button"));
}

// -- another view ----------------------------------------------------------------------------------------------------

export function show(query) {
  document.dispatchEvent(new Event("authkeys-view"));
  blocks.showAnother(query);
  place = null;
  if (!grid.api) return;
  if (grid.api.getDisplayedRowCount()) grid.api.ensureIndexVisible(0, "top");
  // Where only the first block is there, its rows stay until others come, instead of being drawn empty first.
  if (Object.keys(grid.api.getCacheBlockState()).length > 1) grid.api.purgeInfiniteCache();
  else grid.api.refreshInfiniteCache();
}

export function sortBy(colId, descending) {
  const sort = descending ? "desc" : "asc";
  grid.api.applyColumnState({ state: [{ colId, sort }], defaultState: { sort: null } });
}

export function onSortChanged() {
  document.dispatchEvent(new Event("authkeys-view"));
  const column = grid.api.getColumnState().find((state) => state.sort);
  emitEvent("sorted", { column: column?.colId ?? null, descending: column?.sort === "desc" });
}

// -- staying in place ------------------------------------------------------------------------------------------------

// Rows come and go above: the shown ones stay where they are on the screen, and so does the focused cell, also if its
// own row goes. Not at the very top, where one wants to see what comes.

let place = null; // where everything was before blocks were read anew

export function refresh() {
  if (!grid.api) return;
  place ??= here();
  grid.api.refreshInfiniteCache();
}

const viewport = () => document.querySelector(".grid .ag-body-viewport");
export const indexOf = (id) => grid.api.getRowNode(String(id))?.rowIndex ?? null;

function here() {
  const top = viewport().scrollTop;
  const cell = document.activeElement?.closest(".ag-cell") ? grid.api.getFocusedCell() : null;
  const rows = grid.api
    .getRenderedNodes()
    .filter((node) => node.data && node.rowTop + node.rowHeight > top)
    .map((node) => ({ id: node.data.id, index: node.rowIndex, height: node.rowHeight }))
    .sort((one, other) => one.index - other.index);
  return { rows, cell, scrolled: top > 0, focused: rows.find(({ index }) => index === cell?.rowIndex) };
}

function settle() {
  document.dispatchEvent(new Event("authkeys-rows"));
  if (!place || blocks.isAsking()) return;
  const { rows, cell, scrolled, focused } = place;
  place = null;
  const kept = [focused, ...rows].find((row) => row && indexOf(row.id) !== null);
  const shift = kept ? indexOf(kept.id) - kept.index : 0;
  if (shift && scrolled) viewport().scrollTop += shift * kept.height;
  document.dispatchEvent(new Event("authkeys-moved"));
  if (!focused) return;
  const next = rows.find(({ id, index }) => index >= focused.index && indexOf(id) !== null);
  const index = next ? indexOf(next.id) : Math.min(cell.rowIndex, grid.api.getDisplayedRowCount() - 1);
  if (index >= 0 && index !== cell.rowIndex) grid.api.setFocusedCell(index, cell.column);
}

// -- beginning -------------------------------------------------------------------------------------------------------

export function onGridReady(params) {
  grid.api = params.api;
  const table = document.querySelector(".grid :is([role=grid], [role=treegrid])");
  table.setAttribute("aria-label", page.name);
  table.setAttribute("aria-multiselectable", "true");
  ticks.start();
  document.dispatchEvent(new Event("authkeys-ready"));
}

export function onGridSizeChanged({ clientWidth, api }) {
  // A phone has no room for two pinned sides.
  const narrow = clientWidth < 640;
  if (page.narrowless.length) return api.setColumnsVisible(page.narrowless, !narrow);
  const pinned = narrow ? null : "right";
  if ((api.getColumn("menu")?.getPinned() ?? null) === pinned) return;
  const first = api.getAllDisplayedColumns()[0];
  if (first.getColId() === "card") return;
  const { width } = first.getColDef();
  api.setColumnsPinned(["remove", "menu"].filter((id) => api.getColumn(id)), pinned);
  api.setColumnWidths([{ key: first.getColId(), newWidth: narrow ? Math.round(width * 0.75) : width }]);
}
