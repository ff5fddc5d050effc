// What Python told this page when it was built (ui/staged/grid.py): which rows it shows, where they are asked for, and who
// looks at them. Nothing on a page without a grid.

export const page = {
  name: "", // of what is shown, for a screen reader
  noun: "", // of one row
  rowsUrl: "",
  uploadsUrl: "", // where pastes and files go
  maxUpload: 0, // bytes
  exportUrl: "",
  takesFiles: false, // whether files can be imported here
  query: "", // the view, as in the address
  names: [], // the fields of a row that say which one it is
  tickStore: "", // under which this tab keeps ticks that the server has not acknowledged
  arrangement: null, // of the columns, as its admin has it; null where there is none
  mayChange: true,
  opens: false, // whether a row is opened by a click
  rowHeight: 0, // pixels
  cardHeight: 0, // the same on a phone
  narrowless: [], // columns that a phone has no room for
  firstBlock: null, // the answer to the first question, asked before anything else was loaded
  ...window.authkeysPage,
};

export const narrow = matchMedia("(max-width: 599.98px)"); // a phone, as in phone.css

export const nameOf = (row) => page.names.map((field) => row[field]).join(", ");
