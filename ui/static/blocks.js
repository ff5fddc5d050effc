// The grid's blocks: asked for as one scrolls, again when the server does not answer, and never older than what is shown.

import { page } from "./page.js";
import { withPending } from "./ticks.js";

const RETRY_MS = 1000;

let generation = 0; // of the view; answers for an older one are dropped
let asking = 0; // blocks that were asked for and have not come
const arrived = new Map(); // row id -> {row, at}: rows that came by themselves while blocks are under way
let marked = []; // {at, change}: what was told of others' staged changes meanwhile

export const isAsking = () => asking > 0;

// Messages and blocks overtake each other: of two states of a row the newer one counts.
export function isOlder(row, than) {
  return Boolean(than) && (row.revision < than.revision || (row.revision === than.revision && row.step < than.step));
}

export function note(row) {
  if (asking) arrived.set(row.id, { row, at: performance.now() });
}

export function noteMarks(change) {
  if (asking) marked.push({ at: performance.now(), change });
}

function newest(row, began, shown) {
  // Of a block that was under way a row may have arrived by itself meanwhile. Who else staged something for it the block
  // knows, and what was told of that since it was asked for.
  const { others } = marked.reduce((now, { at, change }) => (at > began ? change(now) : now), row);
  const newer = arrived.get(row.id);
  if (newer && newer.at > began && !isOlder(newer.row, row)) return { ...newer.row, others };
  return { ...(isOlder(row, shown) ? shown : row), others };
}

export function showAnother(query) {
  page.query = query;
  generation++;
}

// `shownRow` gives the row with an id as it is shown; `counted` is told how many rows there are, or (not known yet) at least are;
// `settled` is called when the grid may have all it asked for.
export function datasource(shownRow, counted, settled) {
  return {
    async getRows(request) {
      const asked = generation;
      asking++;
      try {
        await answer(request, asked, shownRow, counted);
      } finally {
        if (!--asking) {
          arrived.clear();
          marked = [];
        }
        setTimeout(settled); // after the grid has asked for its next block
      }
    },
  };
}

async function answer(request, asked, shownRow, counted) {
  const sort = request.sortModel[0];
  const parameters = new URLSearchParams(page.query);
  parameters.delete("sort");
  if (sort) parameters.set("sort", (sort.sort === "desc" ? "-" : "") + sort.colId);
  while (asked === generation) {
    const began = performance.now();
    try {
      const early = request.startRow === 0 ? page.firstBlock : null;
      page.firstBlock = null;
      const response = await (early ?? fetchBlock(parameters, request.startRow, request.endRow));
      if (response.ok) {
        const { rows, total } = await response.json();
        const now = (row) => withPending(newest(row, began, shownRow(row.id)));
        if (asked !== generation) break;
        if (total === null) count(parameters, request.startRow + rows.length, asked, counted);
        return request.successCallback(rows.map(now), total ?? undefined);
      }
      if (response.status === 401) return location.reload(); // signed out
      if (response.status < 500) return request.failCallback();
    } catch (error) {
      console.info("The server does not answer; asking again.", error.name);
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  request.failCallback(); // the grid asks for few blocks at once, and waits for each
}

// The rows come first; how many there are may take longer.
async function count(parameters, least, asked, counted) {
  counted(least + 1, false);
  const response = await fetch(`${page.rowsUrl}/count?${parameters}`).catch(() => null);
  if (response?.ok && asked === generation) counted((await response.json()).total, true);
}

function fetchBlock(parameters, start, end) {
  const all = new URLSearchParams(parameters);
  all.set("start", start);
  all.set("end", end);
  return fetch(`${page.rowsUrl}?${all}`, { headers: { Accept: "application/json" } });
}
