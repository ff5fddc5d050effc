// Tab and the grid: it is one stop. Tab goes in, to the cell where one was; Tab goes out, forth and back (WCAG 2.1.2). And
// which letter a key means on any keyboard layout. Read before authkeys.js.
"use strict";

const keyboard = (() => {
  const TABBABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

  function isStop(element) {
    return element.tabIndex >= 0 && !element.disabled && !element.closest("[inert], .grid") && element.checkVisibility();
  }

  // AG Grid would walk from cell to cell and from row to row; the browser's own Tab would meet the grid's guards.
  function leaveGrid(event) {
    const grid = event.key === "Tab" && !event.ctrlKey && !event.altKey && event.target.closest?.(".grid");
    if (!grid) return;
    const side = event.shiftKey ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    const all = [...document.querySelectorAll(TABBABLE)].filter(isStop);
    const there = all.filter((element) => grid.compareDocumentPosition(element) & side);
    const stops = there.length ? there : all; // where nothing follows, on from the other end of the page
    const next = event.shiftKey ? stops.at(-1) : stops[0];
    event.stopImmediatePropagation();
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  // What is typed in the grid, and means nothing there, is searched for. Here, because AG Grid tells of a key too late: the
  // character must find the field focused.
  function searchFor(event) {
    const cell = event.target.closest?.(".grid .ag-cell");
    const search = document.querySelector("input[type=search]");
    if (!cell || !search || event.ctrlKey || event.metaKey || event.altKey) return;
    if ([...event.key].length !== 1 || " ?/".includes(event.key)) return;
    if (cell.classList.contains("cell-checkbox") && keyboard.digit(event)) return;
    search.focus();
    search.select();
  }

  addEventListener("keydown", leaveGrid, true);
  addEventListener("keydown", searchFor);

  return {
    // AG Grid asks where the focus goes that comes from outside.
    enterGrid({ api }) {
      if (!api.getDisplayedRowCount()) return false;
      const cell = api.getFocusedCell();
      const row = Math.min(cell?.rowIndex ?? 0, api.getDisplayedRowCount() - 1);
      api.ensureIndexVisible(row);
      api.setFocusedCell(row, cell?.column ?? api.getAllDisplayedColumns()[0]);
      return true;
    },

    // Where the layout has no Latin letters, the key at the place of one.
    letter: ({ key, code }) => (/^[a-z]$/i.test(key) ? key : code.replace(/^Key/, "")).toLowerCase(),

    // 1 to 9, also on layouts that want Shift for digits; 0 for any other key.
    digit({ key, code, shiftKey }) {
      if (/^[1-9]$/.test(key)) return Number(key);
      return !shiftKey && /^Digit[1-9]$/.test(code) ? Number(code.slice(-1)) : 0;
    },

    // On a Mac's small keyboard the key named "delete" is Backspace.
    isDelete: ({ key }) => key === "Delete" || (key === "Backspace" && /Mac/.test(navigator.platform)),
  };
})();
