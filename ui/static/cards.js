// On a phone a row is a card: the grid then has one column, as wide as itself, and higher rows. A tap opens the row's sheet.

import { conflictMark, marksOf, newMark } from "./cells.js";
import { flashOf } from "./flashes.js";
import { grid } from "./grid.js";
import { nameOf, narrow, page } from "./page.js";
import { closeSheet, openSheet } from "./sheet.js";
import { summary, tally } from "./summary.js";

let wide = null; // the ids of the columns that a wider screen shows

export const rowHeight = (onWide, onNarrow) => (narrow.matches ? onNarrow : onWide);

function span(className, ...content) {
  const element = document.createElement("span");
  element.className = className;
  element.append(...content);
  return element;
}

export class CardCell {
  init(params) {
    this.card = document.createElement("button");
    this.card.type = "button";
    this.card.tabIndex = -1; // the grid is one Tab stop
    this.card.className = "card";
    this.card.addEventListener("click", () => openSheet(this.params.node));
    this.refresh(params);
  }
  getGui() {
    return this.card;
  }
  refresh(params) {
    this.params = params;
    const { data: row, colDef } = params;
    this.card.style.visibility = row ? "visible" : "hidden";
    if (!row) return true;
    const { title, lines, all } = colDef.cellRendererParams;
    const texts = (fields) => fields.map((field) => row[field]).filter(Boolean).join(" · ");
    const [first, ...more] = lines.map((fields) => span("card-line", texts(fields)));
    this.card.classList.toggle("card-flash", Boolean(flashOf(row.id)));
    this.card.setAttribute("aria-label", `${nameOf(row)}: ${summary(row, all)}`);
    this.card.replaceChildren(
      span(`card-title card-${title}`, row[title]),
      span("card-row", first, ...marks(row), span("card-count", `${tally(row).granted} of ${all}`)),
      ...more,
    );
    return true;
  }
}

function marks(row) {
  const { grants, revocations } = tally(row);
  const by = flashOf(row.id)?.by;
  return [
    by && span("card-mark by", by),
    row.id < 0 && newMark(),
    row.conflict && conflictMark(row.conflict),
    row.others.length && marksOf(row.others),
    row.removal && span("card-mark remove", "× Remove"),
    row.amended.length && span("card-mark grant", `✎ ${row.amended.join(", ")}`),
    grants && span("card-mark grant", `+${grants}`),
    revocations && span("card-mark revoke", `−${revocations}`),
  ].filter(Boolean);
}

// -- which of the two ------------------------------------------------------------------------------------------------

const idsOf = (columns) => columns.map((column) => column.getColId());
const viewport = () => document.querySelector(".grid .ag-body-viewport");

function arrange() {
  const { api } = grid;
  if (!api?.getColumn("card") || narrow.matches === Boolean(wide)) return;
  const before = api.getGridOption("rowHeight");
  const first = Math.round(viewport().scrollTop / before);
  if (narrow.matches) {
    wide = idsOf(api.getAllDisplayedColumns());
    show(["card"]);
  } else {
    closeSheet();
    show(wide);
    wide = null;
  }
  const height = rowHeight(page.arrangement.rowHeight, page.cardHeight);
  if (height === before) return; // newly opened
  api.setGridOption("rowHeight", height);
  api.purgeInfiniteCache(); // the grid leaves rows as high as they were that it has room for and has not got yet
  api.ensureIndexVisible(first, "top");
}

function show(ids) {
  document.documentElement.classList.toggle("cards", narrow.matches);
  grid.api.applyColumnState({ state: idsOf(grid.api.getColumns()).map((colId) => ({ colId, hide: !ids.includes(colId) })) });
}

document.addEventListener("authkeys-ready", arrange);
narrow.addEventListener("change", arrange);
