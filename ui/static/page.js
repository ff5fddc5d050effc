// What Python told this page when it was built: which rows it shows, where they are asked for, and who looks at them.

export const page = {
  name: "", // of what is shown, for a screen reader
  noun: "", // of one row
  rowsUrl: "",
  query: "", // the view, as in the address
  blockSize: 100,
  names: [], // the fields of a row that say which one it is
  adminId: 0,
  mayChange: true,
};

export const nameOf = (row) => page.names.map((field) => row[field]).join(", ");
