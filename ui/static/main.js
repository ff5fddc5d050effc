// All that the page's scripts are to Python and to AG Grid's options: `window.authkeys`. What each does stands in the module
// that it comes from; the others, imported for what they listen to, have no name here.

import * as cells from "./cells.js";
import { copySelection } from "./clipboard.js";
import { copyText } from "./copy.js";
import { chooseFile, exportView } from "./files.js";
import { flash } from "./flashes.js";
import { enterPanel, refocus } from "./focus.js";
import * as grid from "./grid.js";
import * as keyboard from "./keyboard.js";
import { leave, stopped } from "./leaving.js";
import { openReview, refreshReview, searchReview } from "./review.js";
import { claim, clearSelection, drawSelection, selectColumns, selectedRule, showRow } from "./selection.js";
import * as ticks from "./ticks.js";
import { TimeCell } from "./times.js";
import "./connection.js";
import "./forms.js";
import "./pointer.js";
import "./popups.js";

window.authkeys = {
  ...cells,
  TimeCell,
  ...grid,
  onCellKeyDown: keyboard.onCellKeyDown,
  drawSelection,
  selectedRule,
  selection: claim,
  selectColumns,
  showRow,
  clearSelection,
  suppressKeyboardEvent: keyboard.suppressKeyboardEvent,
  enterGrid: keyboard.enterGrid,
  put: (rows) => rows.forEach(grid.replace),
  flash,
  ack: ticks.acknowledge,
  resend: ticks.resend,
  openReview,
  refreshReview,
  searchReview,
  refocus,
  enterPanel,
  copyText,
  copySelection,
  chooseFile,
  exportView,
  leave,
  stopped,
  rememberTheme: (value) => (document.cookie = `authkeys-theme=${value};path=/;max-age=31536000;samesite=lax`),
};
