// Where the focused thing goes away, the keyboard is not sent back to the beginning of the page.

import { grid } from "./grid.js";

let lastInReview = false;
let lastOutside = null;
let last = null;
let going = null; // watches until what was told to go is gone from the page

const isThere = (element) => element?.isConnected && !element.disabled && element.checkVisibility();

export function refocus() {
  going?.disconnect();
  going = new MutationObserver(restore);
  going.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "style"] });
  restore();
}

// A panel that was opened by a key is where the answer is.
export function enterPanel() {
  const heading = document.querySelector(".side .review-title");
  if (document.activeElement?.closest(".grid")) heading?.focus();
}

function restore() {
  const now = document.activeElement;
  if (!last || isThere(last) || (now !== document.body && isThere(now))) return;
  if (lastInReview && isThere(document.querySelector(".review-list"))) return document.querySelector(".review-list").focus();
  const cell = grid.api?.getFocusedCell();
  if (isThere(lastOutside)) lastOutside.focus();
  else if (cell) grid.api.setFocusedCell(cell.rowIndex, cell.column);
}

document.addEventListener("focusin", ({ target }) => {
  lastInReview = Boolean(target.closest(".review"));
  if (!lastInReview) lastOutside = target;
  last = target;
});

["pointerdown", "keydown"].forEach((act) => addEventListener(act, () => going?.disconnect(), true)); // they decide now
