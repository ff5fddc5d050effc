// The command palette opens by a key, in every view. What is typed until it is there is meant for it: in the grid a digit would
// tick a box.

import { letter, withModifier } from "./keys.js";
import { DIALOG } from "./popups.js";

const PATIENCE_MS = 2000;

let early = null; // what was typed since the key was pressed
let patience = 0;

const isFor = (event) => (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && letter(event) === "k";

function stopWaiting() {
  clearTimeout(patience);
  early = null;
}

function onKeyDown(event) {
  if (isFor(event)) {
    event.preventDefault(); // a browser would go to its own field
    if (event.repeat || early !== null || document.querySelector(DIALOG)) return;
    early = "";
    patience = setTimeout(stopWaiting, PATIENCE_MS);
    emitEvent("palette");
  } else if (early !== null && [...event.key].length === 1 && !withModifier(event)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    early += event.key;
  } else if (event.key === "Escape") stopWaiting();
}

function onFocus({ target }) {
  if (!target.closest?.(".palette-field")) return;
  if (early) {
    target.value = early;
    target.dispatchEvent(new Event("input"));
  }
  stopWaiting();
}

addEventListener("keydown", onKeyDown, true);
addEventListener("focusin", onFocus);
