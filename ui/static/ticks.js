// Ticks that the server has not acknowledged: they are shown at once, kept over a reload of the tab, and sent until they
// are stored or refused.

import { page } from "./page.js";

const RESEND_MS = 3000;

let sequence = 0;
let pending = [];

export const isSettled = () => !pending.length;

export const withPending = (row) => pending.reduce((now, tick) => (tick.id === row.id ? ticked(now, tick) : now), row);

export function ticked(row, { bit, value }) {
  if (bit === null) return { ...row, removal: value, staged: value ? row.stored : row.staged };
  if (row.removal) return row;
  return { ...row, staged: value ? row.staged | (1 << bit) : row.staged & ~(1 << bit) };
}

export function add(row, column, bit) {
  const value = bit === null ? !row.removal : !(row.staged & (1 << bit));
  const tick = { seq: ++sequence, id: row.id, column, bit, value };
  pending.push(tick);
  remember();
  send(tick);
  return tick;
}

export function acknowledge(seq) {
  pending = pending.filter((tick) => tick.seq > seq);
  remember();
  if (isSettled()) document.dispatchEvent(new Event("authkeys-settled"));
}

function send({ seq, id, column, value }) {
  // Not while offline: the socket would send its copies before the server knows again whose they are.
  if (window.socket?.connected || !window.did_handshake) emitEvent("tick", { seq, id, column, value });
}

export function resend() {
  pending.forEach(send);
}

export function start() {
  // Ticks of this tab from before a reload: to this server window they are new.
  pending = remembered().map((tick) => ({ ...tick, seq: ++sequence }));
  resend();
  setInterval(resend, RESEND_MS); // whatever was lost on the way, or not taken by the database
}

// -- over a reload ---------------------------------------------------------------------------------------------------


function remember() {
  try {
    sessionStorage.setItem(page.tickStore, JSON.stringify(pending));
  } catch {
    // Full, or not allowed: then a tick that is on its way lasts as long as this tab.
  }
}

function remembered() {
  try {
    const ticks = JSON.parse(sessionStorage.getItem(page.tickStore) ?? "[]");
    return Array.isArray(ticks) ? ticks.filter(isTick) : [];
  } catch {
    return [];
  }
}

const isTick = (tick) =>
  Number.isInteger(tick?.id) &&
  typeof tick.column === "string" &&
  typeof tick.value === "boolean" &&
  (tick.bit === null || Number.isInteger(tick.bit));
