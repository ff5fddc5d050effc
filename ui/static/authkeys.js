// The grid: its data source, cells and keys, and what must happen before the server answers; beside it, one concern each, the
// other files of this folder. Everything else is Python. Told by Python: start, show, put, flash, refresh, refocus, ack, resend. Tells Python, by event:
// tick, sorted, menu, shortcut.
"use strict";

const authkeys = (() => {
  const WORDS = { grant: 1, staged: 2, removal: 4, flash: 8, unused: 16 }; // bits of a cell's value, so that AG Grid sees any change
  const KINDS = {
    [WORDS.staged | WORDS.grant]: "Not submitted yet: a grant",
    [WORDS.staged]: "Not submitted yet: a revocation",
    [WORDS.staged | WORDS.grant | WORDS.removal]: "Not submitted yet: the removal of this key",
  };
  const UNUSED = "Granted, and not used for 30 days or more";
  const FLASH_MS = 4000;
  const RETRY_MS = 1000;
  const RESEND_MS = 3000;
  let pendingStore = ""; // where ticks are kept that the server has not acknowledged; they outlive a reload of this tab

  let api = null;
  let root = "";
  let mayChange = true;
  let query = "";
  let firstBlock = null;
  let generation = 0; // of the view; answers for an older one are dropped
  let sequence = 0;
  let pending = [];
  let asking = 0; // blocks that were asked for and have not come
  let place = null; // where everything was before blocks were read anew
  const replaced = new Map(); // authkey id -> {row, at}, while blocks are under way
  const flashes = new Map(); // authkey id -> {mask, whole, by}

  // -- rows: what the server sent, with the ticks that it has not seen yet -------------------------------------------

  function withPending(row) {
    return pending.reduce((now, tick) => (tick.id === row.id ? ticked(now, tick) : now), row);
  }

  function ticked(row, { bit, value }) {
    if (bit === null) return { ...row, removal: value, staged: value ? row.stored : row.staged };
    if (row.removal) return row;
    return { ...row, staged: value ? row.staged | (1 << bit) : row.staged & ~(1 << bit) };
  }

  // Messages and blocks overtake each other: of two states of a row the newer one counts.
  function isOlder(row, than) {
    return Boolean(than) && (row.revision < than.revision || (row.revision === than.revision && row.step < than.step));
  }

  function replace(row) {
    if (asking) replaced.set(row.id, { row, at: performance.now() });
    const node = api?.getRowNode(String(row.id));
    if (node?.data && !isOlder(row, node.data)) draw(node, withPending(row));
  }

  // Not setData(): that makes the row's cells anew, and a click that has begun on one of them never ends.
  function draw(node, row) {
    node.updateData(row);
    api.refreshCells({ rowNodes: [node], columns: ["service"], force: true }); // it shows more than its value
  }

  // A click that began on a cell which the grid has made anew since (pointer.js).
  function activate(id, columnId) {
    const node = api.getRowNode(id);
    const column = api.getColumn(columnId);
    if (!node?.data || !column) return;
    const cell = document.querySelector(`.ag-row[row-id="${CSS.escape(id)}"] [col-id="${columnId}"]`);
    if (columnId !== "menu") tick(node, column);
    else if (cell) openMenu(node, cell.querySelector("button"));
  }

  function newest(row, began) {
    // Of a block that was under way a row may have been replaced meanwhile.
    const newer = replaced.get(row.id);
    const shown = api?.getRowNode(String(row.id))?.data;
    if (newer && newer.at > began && !isOlder(newer.row, row)) return newer.row;
    return isOlder(row, shown) ? shown : row;
  }

  const datasource = {
    async getRows(request) {
      const asked = generation;
      asking++;
      try {
        await answer(request, asked);
      } finally {
        if (!--asking) replaced.clear();
        setTimeout(settle); // after the grid has asked for its next block
      }
    },
  };

  async function answer(request, asked) {
    const sort = request.sortModel[0];
    const parameters = new URLSearchParams(query);
    parameters.delete("sort");
    if (sort) parameters.set("sort", (sort.sort === "desc" ? "-" : "") + sort.colId);
    while (asked === generation) {
      const began = performance.now();
      try {
        const early = request.startRow === 0 ? firstBlock : null;
        firstBlock = null;
        const response = await (early ?? fetchBlock(parameters, request.startRow, request.endRow));
        if (response.ok) {
          const { rows, total } = await response.json();
          if (asked === generation) request.successCallback(rows.map((row) => withPending(newest(row, began))), total);
          return;
        }
        if (response.status === 401) return location.reload(); // signed out
        if (response.status < 500) return request.failCallback();
      } catch (error) {
        console.info("The server does not answer; asking again.", error.name);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  function fetchBlock(parameters, start, end) {
    const all = new URLSearchParams(parameters);
    all.set("start", start);
    all.set("end", end);
    return fetch(`${root}/grid/rows?${all}`, { headers: { Accept: "application/json" } });
  }

  function start(viewQuery, rootPath, blockSize, adminId, adminMayChange) {
    query = viewQuery;
    root = rootPath;
    pendingStore = `authkeys.pending.${adminId}`;
    mayChange = adminMayChange;
    firstBlock = fetchBlock(query, 0, blockSize); // while the grid itself is still being loaded
    firstBlock.catch(() => {}); // told by getRows, which asks again
  }

  // -- ticking -------------------------------------------------------------------------------------------------------

  function tick(node, column) {
    const row = node.data;
    const { bit } = column.getColDef().cellRendererParams;
    if (!row || !mayChange || (bit !== null && row.removal)) return;
    const value = bit === null ? !row.removal : !(row.staged & (1 << bit));
    const entry = { seq: ++sequence, id: row.id, column: column.getColId(), bit, value };
    pending.push(entry);
    remember();
    draw(node, ticked(row, entry));
    send(entry);
  }

  function send({ seq, id, column, value }) {
    // Not while offline: the socket would send its copies before the server knows again whose they are.
    if (window.socket?.connected || !window.did_handshake) emitEvent("tick", { seq, id, column, value });
  }

  function resend() {
    pending.forEach(send);
  }

  function remember() {
    try {
      sessionStorage.setItem(pendingStore, JSON.stringify(pending));
    } catch {
      // Full, or not allowed: then a tick that is on its way lasts as long as this tab.
    }
  }

  function remembered() {
    try {
      const entries = JSON.parse(sessionStorage.getItem(pendingStore) ?? "[]");
      return Array.isArray(entries) ? entries.filter(isTick) : [];
    } catch {
      return [];
    }
  }

  const isTick = (entry) =>
    Number.isInteger(entry?.id) &&
    typeof entry.column === "string" &&
    typeof entry.value === "boolean" &&
    (entry.bit === null || Number.isInteger(entry.bit));

  function adopt() {
    // Ticks of this tab from before a reload: to this server window they are new.
    pending = remembered().map((entry) => ({ ...entry, seq: ++sequence }));
    resend();
  }

  // -- cells ---------------------------------------------------------------------------------------------------------

  function cellValue({ data, colDef }) {
    if (!data) return 0;
    const { bit } = colDef.cellRendererParams;
    const flash = flashes.get(data.id);
    const flashed = flash && (flash.whole || (bit !== null && flash.mask & (1 << bit))) ? WORDS.flash : 0;
    if (bit === null) return (data.removal ? WORDS.grant | WORDS.staged | WORDS.removal : 0) | flashed;
    const mask = 1 << bit;
    return (
      (data.staged & mask ? WORDS.grant : 0) |
      ((data.staged ^ data.stored) & mask && !data.removal ? WORDS.staged : 0) |
      (data.removal ? WORDS.removal : 0) |
      (data.unused & mask ? WORDS.unused : 0) |
      flashed
    );
  }

  class CheckboxCell {
    init(params) {
      this.box = document.createElement("input");
      this.box.type = "checkbox";
      this.box.tabIndex = -1; // the grid is one Tab stop; the arrow keys move
      this.box.addEventListener("change", () => tick(this.params.node, this.params.column));
      this.refresh(params);
    }
    getGui() {
      return this.box;
    }
    refresh(params) {
      this.params = params;
      const { data, value } = params;
      const { bit, label } = params.colDef.cellRendererParams;
      this.box.style.visibility = data ? "visible" : "hidden";
      if (!data) return true;
      const staged = value & WORDS.staged ? ", staged" : "";
      this.box.checked = Boolean(value & WORDS.grant);
      this.box.disabled = !mayChange || (bit !== null && Boolean(value & WORDS.removal));
      this.box.setAttribute("aria-label", `${label}, ${data.ip}, ${data.service}${staged}`);
      const more = value & WORDS.staged ? KINDS[value & 7] : value & WORDS.unused ? UNUSED : "";
      this.box.title = more;
      more ? this.box.setAttribute("aria-description", more) : this.box.removeAttribute("aria-description");
      const by = value & WORDS.flash ? flashes.get(data.id)?.by : undefined;
      const cell = params.eGridCell;
      by ? cell.setAttribute("data-by", by) : cell.removeAttribute("data-by");
      return true;
    }
  }

  class ServiceCell {
    init(params) {
      this.cell = document.createElement("span");
      this.refresh(params);
    }
    getGui() {
      return this.cell;
    }
    refresh({ data }) {
      this.cell.replaceChildren(data?.service ?? "");
      if (data?.others.length) {
        const mark = document.createElement("span");
        mark.className = "others";
        mark.textContent = data.others.map((name) => name.slice(0, 2).toUpperCase()).join(" ");
        mark.title = `${data.others.join(", ")}: staged changes, not yet submitted`;
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", mark.title);
        this.cell.append(" ", mark);
      }
      return true;
    }
  }

  class MenuCell {
    init(params) {
      this.button = document.createElement("button");
      this.button.type = "button";
      this.button.tabIndex = -1;
      this.button.className = "row-menu-button";
      this.button.textContent = "⋮";
      this.button.addEventListener("click", () => openMenu(this.params.node, this.button));
      this.refresh(params);
    }
    getGui() {
      return this.button;
    }
    refresh(params) {
      this.params = params;
      this.button.style.visibility = params.data ? "visible" : "hidden";
      if (params.data) this.button.setAttribute("aria-label", `Actions, ${params.data.ip}, ${params.data.service}`);
      return true;
    }
  }

  function openMenu(node, button) {
    if (!node.data) return;
    const { left, top, width, height } = button.getBoundingClientRect();
    const anchor = document.getElementById("row-menu-anchor");
    Object.assign(anchor.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    emitEvent("menu", { id: node.data.id });
  }

  const is = (word, not = 0) => (params) => Boolean(params.value & word) && !(params.value & not);
  const cellClassRules = {
    "cell-grant": (params) => (params.value & 7) === (WORDS.grant | WORDS.staged),
    "cell-revoke": (params) => (params.value & 7) === WORDS.staged,
    "cell-remove": is(WORDS.removal, 0),
    "cell-unused": is(WORDS.unused, WORDS.staged),
    "cell-flash": is(WORDS.flash),
  };
  const rowClassRules = {
    "row-removal": ({ data }) => Boolean(data?.removal),
    "row-flash": ({ data }) => Boolean(data && flashes.get(data.id)?.whole),
  };

  // -- keys ----------------------------------------------------------------------------------------------------------

  const isBox = (column) => column.getColDef().cellRenderer === CheckboxCell;

  function boxOfKey(event, column) {
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const bitOf = (each) => each.getColDef().cellRendererParams?.bit;
    if (keyboard.isDelete(event)) return api.getColumns().find((each) => bitOf(each) === null);
    const digit = isBox(column) ? keyboard.digit(event) : 0;
    return digit ? api.getColumns().find((each) => bitOf(each) === digit - 1) : undefined;
  }

  // What a key does is done in sight.
  function tickInSight(node, column) {
    api.ensureIndexVisible(node.rowIndex);
    api.ensureColumnVisible(column);
    tick(node, column);
  }

  function onCellKeyDown({ event, node, column }) {
    const meant = boxOfKey(event, column);
    if (meant) {
      event.preventDefault();
      if (!event.repeat) tickInSight(node, meant);
    } else if (event.key === " " && isBox(column)) {
      event.preventDefault();
      if (!event.repeat) tickInSight(node, column);
    } else if (column.getColId() === "menu" && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      openMenu(node, event.target.querySelector("button") ?? event.target);
    }
  }

  function suppressKeyboardEvent({ event, node, api: grid }) {
    // As in other grids: within the row, and with Ctrl to the first or last row. The grid's own goes there without Ctrl.
    if (!["Home", "End"].includes(event.key)) return false;
    if (event.type !== "keydown") return true;
    event.preventDefault();
    const forth = event.key === "End";
    const last = grid.getDisplayedRowCount() - 1;
    const row = !(event.ctrlKey || event.metaKey) ? node.rowIndex : forth ? last : 0;
    grid.ensureIndexVisible(row);
    grid.setFocusedCell(row, grid.getAllDisplayedColumns().at(forth ? -1 : 0));
    return true;
  }

  function moveInMenu(event) {
    const items = [...document.querySelectorAll(".q-menu [role=menuitem]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!items.length || !step) return;
    event.preventDefault();
    const now = items.indexOf(document.activeElement);
    items.at(now < 0 && step < 0 ? -1 : (now + step) % items.length).focus();
  }

  function onKeyDown(event) {
    moveInMenu(event);
    const typing = event.target.closest("input:not([type=checkbox]), textarea, [contenteditable=true]");
    const control = event.ctrlKey || event.metaKey;
    const key = keyboard.letter(event);
    let shortcut = null;
    if (control && !event.altKey && key === "z" && !typing) shortcut = event.shiftKey ? "redo" : "undo";
    else if (control && !event.altKey && key === "y" && !typing) shortcut = "redo";
    else if ((control && key === "s") || (event.key === "Escape" && event.target.closest(".review"))) shortcut = "review";
    else if (!typing && !control && !event.altKey && event.key === "?") shortcut = "help";
    else if (!typing && !control && !event.altKey && event.key === "/" && !document.querySelector(".q-dialog")) {
      event.preventDefault();
      const search = document.querySelector("input[type=search]");
      search?.focus();
      search?.select();
    }
    if (shortcut) {
      event.preventDefault();
      emitEvent("shortcut", { name: shortcut });
    }
  }

  // -- staying in place ------------------------------------------------------------------------------------------------

  // Rows come and go above: the shown ones stay where they are on the screen, and so does the focused cell, also if its
  // own row goes. Not at the very top, where one wants to see what comes.

  function refetch() {
    if (!api) return;
    place ??= here();
    api.refreshInfiniteCache();
  }

  const viewport = () => document.querySelector(".grid .ag-body-viewport");
  const indexOf = (id) => api.getRowNode(String(id))?.rowIndex ?? null;

  function here() {
    const top = viewport().scrollTop;
    const cell = document.activeElement?.closest(".ag-cell") ? api.getFocusedCell() : null;
    const rows = api
      .getRenderedNodes()
      .filter((node) => node.data && node.rowTop + node.rowHeight > top)
      .map((node) => ({ id: node.data.id, index: node.rowIndex, height: node.rowHeight }))
      .sort((one, other) => one.index - other.index);
    return { rows, cell, scrolled: top > 0, focused: rows.find(({ index }) => index === cell?.rowIndex) };
  }

  function settle() {
    if (!place || asking) return;
    const { rows, cell, scrolled, focused } = place;
    place = null;
    const kept = [focused, ...rows].find((row) => row && indexOf(row.id) !== null);
    const shift = kept ? indexOf(kept.id) - kept.index : 0;
    if (shift && scrolled) viewport().scrollTop += shift * kept.height;
    if (!focused) return;
    const next = rows.find(({ id, index }) => index >= focused.index && indexOf(id) !== null);
    const index = next ? indexOf(next.id) : Math.min(cell.rowIndex, api.getDisplayedRowCount() - 1);
    if (index >= 0 && index !== cell.rowIndex) api.setFocusedCell(index, cell.column);
  }

  function onGridReady(params) {
    api = params.api;
    document.querySelector(".grid :is([role=grid], [role=treegrid])").setAttribute("aria-label", "Authorization keys");
    addEventListener("keydown", onKeyDown);
    pointer.start(activate);
    adopt();
    setInterval(resend, RESEND_MS); // whatever was lost on the way, or not taken by the database
  }

  // -- focus: where the focused thing goes away, the keyboard is not sent back to the beginning of the page ------------

  let lastInReview = null; // the position of the button, if the last focused thing was one of the review's
  let lastOutside = null;
  let last = null;

  const isThere = (element) => element?.isConnected && !element.disabled && element.checkVisibility();
  const reviewButtons = () => [...document.querySelectorAll(".review-list button")];

  document.addEventListener("focusin", ({ target }) => {
    lastInReview = target.closest(".review") ? reviewButtons().indexOf(target) : null;
    if (lastInReview === null) lastOutside = target;
    last = target;
  });

  let going = null; // watches until what was told to go is gone from the page

  function refocus() {
    going?.disconnect();
    going = new MutationObserver(restoreFocus);
    going.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "style"] });
    restoreFocus();
  }

  ["pointerdown", "keydown"].forEach((act) => addEventListener(act, () => going?.disconnect(), true)); // they decide now

  function restoreFocus() {
    const now = document.activeElement;
    if (!last || isThere(last) || (now !== document.body && isThere(now))) return;
    if (lastInReview !== null && isThere(document.querySelector(".review"))) {
      const buttons = reviewButtons();
      return (buttons[Math.min(lastInReview, buttons.length - 1)] ?? document.querySelector(".review-list")).focus();
    }
    const cell = api?.getFocusedCell();
    if (isThere(lastOutside)) lastOutside.focus();
    else if (cell) api.setFocusedCell(cell.rowIndex, cell.column);
  }

  function onSortChanged() {
    const column = api.getColumnState().find((state) => state.sort);
    emitEvent("sorted", { column: column?.colId ?? "ip", descending: column?.sort === "desc" });
  }

  function onGridSizeChanged({ clientWidth, api: grid }) {
    // A phone has no room for two pinned sides.
    const narrow = clientWidth < 640;
    const pinned = narrow ? null : "right";
    if ((grid.getColumn("remove")?.getPinned() ?? null) === pinned) return;
    grid.setColumnsPinned(["remove", "menu"], pinned);
    grid.setColumnWidths([{ key: "ip", newWidth: narrow ? 132 : 176 }]);
  }

  // -- what Python calls ---------------------------------------------------------------------------------------------

  return {
    CheckboxCell,
    MenuCell,
    ServiceCell,
    cellClassRules,
    cellValue,
    datasource,
    onCellKeyDown,
    onGridReady,
    onGridSizeChanged,
    onSortChanged,
    rowClassRules,
    suppressKeyboardEvent,
    rowId: ({ data }) => String(data.id),
    start,

    show(viewQuery) {
      query = viewQuery;
      generation++;
      place = null;
      if (!api) return;
      if (api.getDisplayedRowCount()) api.ensureIndexVisible(0, "top");
      api.purgeInfiniteCache();
    },
    put(rows) {
      rows.forEach(replace);
    },
    flash(changes, by) {
      const mine = new Map(changes.map(([id, mask, whole]) => [id, { mask, whole, by }]));
      mine.forEach((flash, id) => flashes.set(id, flash));
      const redraw = () => {
        const nodes = changes.map(([id]) => api?.getRowNode(String(id))).filter((node) => node?.data);
        nodes.forEach((node) => draw(node, { ...node.data }));
      };
      redraw();
      setTimeout(() => {
        mine.forEach((flash, id) => flashes.get(id) === flash && flashes.delete(id)); // not a newer one
        redraw();
      }, FLASH_MS);
    },
    refocus,
    refresh: refetch,
    ack(seq) {
      pending = pending.filter((entry) => entry.seq > seq);
      remember();
      if (!pending.length) document.dispatchEvent(new Event("authkeys-settled"));
    },
    isSettled: () => !pending.length,
    leave(rootPath, signIn) {
      const here = location.pathname.slice(rootPath.length) + location.search;
      location.replace(`${rootPath}${signIn}?ended=1&next=${encodeURIComponent(here || "/")}`);
    },
    stopped() {
      setTimeout(() => { // after the answer that the server waits for
        window.socket?.disconnect();
        document.body.innerHTML = '<main class="stopped"><h1>Authkeys has stopped</h1><p>What you staged is kept.</p></main>';
      });
    },
    resend,
    remember_theme: (value) => (document.cookie = `authkeys-theme=${value};path=/;max-age=31536000;samesite=lax`),
  };
})();
