// A row over the lower part of a phone's screen: its boxes as switches, which tick as those of the grid do, and what else can
// be done with it, which Python says (ui/staged/sheet.py).

import { isAsking } from "./blocks.js";
import { CheckboxCell, cellClassRules, cellValue } from "./cells.js";
import { grid, indexOf, isBox } from "./grid.js";
import { say } from "./notices.js";
import { nameOf } from "./page.js";
import { summary } from "./summary.js";

let shown = null; // {id, name, switches, watcher}

const part = (name) => document.querySelector(`.sheet-${name}`);
const nodeOf = (id) => grid.api.getRowNode(String(id));

// A line of the sheet: the whole of it is the target, and its box is that of the grid.
class Switch {
  constructor(column, node) {
    this.column = column;
    this.colDef = column.getColDef();
    this.line = document.createElement("label");
    this.line.setAttribute("col-id", column.getColId());
    this.more = document.createElement("small");
    this.cell = new CheckboxCell();
    this.cell.init(this.params(node));
    this.box = this.cell.getGui();
    this.box.setAttribute("role", "switch");
    this.box.tabIndex = 0;
    const text = document.createElement("span");
    text.append(this.colDef.cellRendererParams.label, this.more);
    this.line.append(text, this.box);
    this.draw(node);
  }
  params(node) {
    const { column, colDef, line } = this;
    return { node, column, colDef, data: node.data, value: cellValue({ data: node.data, colDef }), eGridCell: line };
  }
  draw(node) {
    const params = this.params(node);
    this.cell.refresh(params);
    const holds = Object.entries(cellClassRules).filter(([, rule]) => rule(params));
    this.line.className = ["switch", ...holds.map(([name]) => name)].join(" ");
    this.more.textContent = this.box.title || this.colDef.headerTooltip;
  }
}

export function openSheet(node) {
  if (!node.data) return;
  const columns = grid.api.getColumns().filter(isBox);
  const switches = columns.map((column) => new Switch(column, node));
  shown = { id: node.data.id, name: nameOf(node.data), switches, watcher: watchForBack() };
  part("name").textContent = shown.name;
  part("switches").replaceChildren(...switches.map(({ line }) => line));
  part("layer").hidden = false;
  part("switches").scrollTop = 0;
  document.getElementById("app").inert = true; // not Quasar's dialogs and messages, which stand beside it
  draw(node);
  ask();
  document.querySelector(".sheet").focus();
}

export function closeSheet() {
  if (!shown) return;
  const { id, watcher } = shown;
  shown = null;
  watcher?.destroy();
  part("layer").hidden = true;
  document.getElementById("app").inert = false;
  if (indexOf(id) !== null) grid.api.setFocusedCell(indexOf(id), "card");
}

// The back button or gesture of a phone, where the browser tells of it.
function watchForBack() {
  if (!window.CloseWatcher) return null;
  const watcher = new CloseWatcher();
  watcher.onclose = closeSheet;
  return watcher;
}

function draw(node) {
  shown.switches.forEach((each) => each.draw(node));
  part("state").textContent = summary(node.data, grid.api.getColumn("card").getColDef().cellRendererParams.all);
}

function redraw() {
  if (!shown) return;
  const node = nodeOf(shown.id);
  if (node?.data) return draw(node);
  if (isAsking()) return;
  say(`${shown.name}: the view does not show it any more.`);
  closeSheet();
}

// -- what else can be done -------------------------------------------------------------------------------------------

function ask() {
  part("actions").hidden = true; // those of the row before
  emitEvent("menu", { id: shown.id, sheet: true });
}

// Python has put them there, for this row.
export function showActions(id) {
  if (!shown) return;
  if (shown.id === id) part("actions").hidden = false;
  else ask(); // they came late
}

document.addEventListener("authkeys-rows", redraw);
document.addEventListener("authkeys-settled", () => shown && part("actions").hidden && ask());
addEventListener("click", ({ target }) => {
  if (target.matches(".sheet-layer") || target.closest(".sheet-actions button, .sheet-close")) closeSheet();
});
addEventListener("keydown", (event) => {
  if (!shown || event.key !== "Escape") return;
  event.preventDefault();
  closeSheet();
});
