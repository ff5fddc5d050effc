// All that the page's scripts are to Python and to AG Grid's options: `window.authkeys`. What each does stands in the module
// that it comes from; the others, imported for what they listen to, have no name here.

import * as arranging from "./arranging.js";
import { CardCell, rowHeight } from "./cards.js";
import * as cells from "./cells.js";
import { copySelection } from "./clipboard.js";
import { copyText } from "./copy.js";
import { chooseFile, exportView } from "./files.js";
import { flash } from "./flashes.js";
import { enterPanel, focusOn, refocus } from "./focus.js";
import * as grid from "./grid.js";
import * as keyboard from "./keyboard.js";
import { leave, post, proveAgain, stopped } from "./leaving.js";
import { openReview, refreshReview, searchReview } from "./review.js";
import { claim, clearSelection, drawSelection, selectColumns, selectedRule, showRow } from "./selection.js";
import { showActions } from "./sheet.js";
import * as ticks from "./ticks.js";
import { TimeCell } from "./times.js";
import "./address.js";
import "./bar.js";
import "./connection.js";
import "./forms.js";
import "./instances.js";
import "./palette.js";
import "./pointer.js";
import "./popups.js";

window.authkeys = {
  ...arranging,
  ...cells,
  CardCell,
  rowHeight,
  TimeCell,
  ...grid,
  onCellKeyDown: keyboard.onCellKeyDown,
  drawSelection,
  selectedRule,
  selection: claim,
  onGridReady(params) {
    grid.onGridReady(params);
    arranging.startArranging();
  },
  selectColumns,
  showRow,
  clearSelection,
  showActions,
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
  focusOn,
  copyText,
  copySelection,
  chooseFile,
  exportView,
  leave,
  post,
  proveAgain,
  stopped,
  rememberTheme: (value) => (document.cookie = `authkeys-theme=${value};path=/;max-age=31536000;samesite=lax`),
};
