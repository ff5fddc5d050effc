// Times as people say them: how long ago, and on hover exactly, in UTC and by the clock here.

import { grid } from "./grid.js";

const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
const MINUTE_MS = 60000;
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function ago(at) {
  const seconds = (new Date(at) - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  return unit ? relative.format(Math.round(seconds / length), unit) : "just now";
}

export class TimeCell {
  init(params) {
    this.cell = document.createElement("time");
    this.refresh(params);
  }
  getGui() {
    return this.cell;
  }
  refresh({ data, colDef }) {
    const at = data?.[colDef.field];
    this.cell.textContent = at ? ago(at) : "";
    if (at) this.cell.dataset.at = at;
    return true;
  }
}

function exactly({ target }) {
  const element = target.closest?.("[data-at]");
  if (!element) return;
  const at = new Date(element.dataset.at);
  element.title = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC\n${at.toLocaleString()} here`;
}

["mouseover", "focusin"].forEach((come) => document.addEventListener(come, exactly));
setInterval(() => {
  const columns = grid.api?.getColumns()?.filter((column) => column.getColDef().cellClass === "cell-time") ?? [];
  if (columns.length) grid.api.refreshCells({ columns, force: true });
  document.querySelectorAll(".ago[data-at]").forEach((element) => (element.textContent = ago(element.dataset.at)));
}, MINUTE_MS);
