// Clicks in the grid. The whole cell of a box is its target. A press and a release on one cell are a click, also where the grid
// made the cell anew in between (rows that arrive, are sorted or read again): the browser itself then sends none.

import { activate } from "./grid.js";
import { wasDragged } from "./selection.js";

const STEADY = 4; // pixels that a hand moves within one click
const TARGETS = ".grid .ag-cell.cell-checkbox, .grid .ag-cell.cell-menu";
let pressed = null;

const where = (cell) => ({ id: cell.closest(".ag-row").getAttribute("row-id"), column: cell.getAttribute("col-id") });
const isControl = (target) => target.matches("input, button");

function onDown({ target, button, pointerType, clientX, clientY }) {
  const cell = target.closest?.(TARGETS);
  pressed = null;
  if (!cell || button !== 0 || pointerType !== "mouse") return; // a finger's tap ends where it is
  pressed = { target, cell, ...where(cell), clientX, clientY };
}

function onUp({ target, clientX, clientY }) {
  const down = pressed;
  pressed = null;
  if (!down || wasDragged() || (down.target.isConnected && down.cell.contains(target))) return; // the browser's own click
  const now = target.closest?.(TARGETS);
  const same = now && where(now).id === down.id && where(now).column === down.column;
  const steady = Math.hypot(clientX - down.clientX, clientY - down.clientY) <= STEADY;
  if (steady || same) activate(down.id, down.column);
}

// Beside the box or the button, yet in its cell.
function onClick({ target, defaultPrevented, shiftKey, ctrlKey, metaKey }) {
  const cell = target.closest?.(TARGETS);
  if (!cell || isControl(target) || defaultPrevented || shiftKey || ctrlKey || metaKey) return;
  const { id, column } = where(cell);
  if (id) activate(id, column);
}

addEventListener("pointerdown", onDown, true);
addEventListener("pointerup", onUp, true);
addEventListener("pointercancel", () => (pressed = null), true);
addEventListener("click", onClick);
