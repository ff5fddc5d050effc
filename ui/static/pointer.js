// A press and a release on one box or button are a click, also where the grid made the cell anew in between (rows that
// arrive, are sorted or read again): the browser itself then sends none.

import { activate } from "./grid.js";

const STEADY = 4; // pixels that a hand moves within one click
const CONTROLS = ".ag-cell input[type=checkbox], .ag-cell .row-menu-button";
let pressed = null;

function where(control) {
  const cell = control.closest(".ag-cell");
  return { id: cell.closest(".ag-row").getAttribute("row-id"), column: cell.getAttribute("col-id") };
}

function onDown({ target, button, pointerType, clientX, clientY }) {
  const control = target.closest(CONTROLS);
  pressed = null;
  if (!control || control.disabled || button !== 0 || pointerType !== "mouse") return; // a finger's tap ends where it is
  pressed = { control, ...where(control), clientX, clientY };
}

function onUp({ target, clientX, clientY }) {
  const down = pressed;
  pressed = null;
  if (!down || target === down.control) return; // the browser's own click
  const now = target.closest?.(".ag-cell")?.querySelector(CONTROLS);
  const same = now && where(now).id === down.id && where(now).column === down.column;
  const steady = Math.hypot(clientX - down.clientX, clientY - down.clientY) <= STEADY;
  if (steady || (same && now === target)) activate(down.id, down.column);
}

addEventListener("pointerdown", onDown, true);
addEventListener("pointerup", onUp, true);
addEventListener("pointercancel", () => (pressed = null), true);
