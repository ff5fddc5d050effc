// Where the focused thing goes away, the keyboard is not sent back to the beginning of the page.

import { grid } from "./grid.js";

let lastInReview = false;
let lastOutside = null;
let last = null;
let going = null; // watches until what was told to go is gone from the page
let looking = 0; // the frame in which it is looked for

const isThere = (element) => element?.isConnected && !element.disabled && element.checkVisibility();

export function refocus() {
  going?.disconnect();
  going = new MutationObserver(look);
  going.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "style"] });
  look();
}

// Once a frame, when styles are computed anyway: a page that redraws tells of many changes.
function look() {
  looking ||= requestAnimationFrame(() => {
    looking = 0;
    restore();
  });
}

// A panel that was opened by a key is where the answer is; and what had the keyboard in it is gone when it shows another thing.
export function enterPanel(wasOpen) {
  const now = document.activeElement;
  if (now?.closest(".q-menu")) // it closes, and gives the keyboard back only then
    addEventListener("focusin", () => enterPanel(wasOpen), { once: true });
  else if (wasOpen ? now === document.body || now?.closest(".side") : now?.closest(".grid"))
    document.querySelector(".side .review-title")?.focus();
}

// What was moved to another place has lost the keyboard.
export const focusOn = (id) => document.getElementById(id)?.focus();

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
  if (!lastInReview && !target.closest(".q-notification")) lastOutside = target; // that one goes by itself
  last = target;
});

["pointerdown", "keydown"].forEach((act) => addEventListener(act, () => going?.disconnect(), true)); // they decide now
