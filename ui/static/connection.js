// The connection to the server. While it is lost, or ticks made meanwhile are still on their way, everything but ticking is
// inert and says why: nothing that is pressed then may happen later, unseen.

import { isSettled } from "./ticks.js";

const KEPT = "What you staged is kept.";
const SENT_LATER = "Boxes that you tick now are sent when the connection is back.";
const REST = "Everything else waits until then.";
const NOT_NOW = "Not now: the connection is lost. Try again when it is back.";
const WAITS = ".header nav, .header button, .toolbar, .strip, .banner, .bar, .selection-bar, .review, .denied-chart, .remedies, .q-dialog, .q-menu, .row-menu-button, .sheet-actions";

let lost = false;
let reassurance = null;
let status = null;

const hasGrid = () => Boolean(document.querySelector(".grid"));

function show() {
  const waiting = lost || !isSettled();
  document.documentElement.classList.toggle("offline", lost);
  document.querySelectorAll(WAITS).forEach((element) => (element.inert = waiting));
}

function lose() {
  if (lost) return;
  lost = true;
  window.socket.sendBuffer.length = 0;
  reassurance.textContent = [KEPT, ...(hasGrid() ? [SENT_LATER] : []), REST].join(" ");
  document.getElementById("popup").ariaHidden = false;
  status.textContent = `Connection lost. ${reassurance.textContent}`;
  show();
}

function find() {
  if (!lost || !window.socket.connected || !navigator.onLine) return;
  lost = false;
  status.textContent = "Connected again.";
  document.getElementById("popup").ariaHidden = true;
  show();
}

function refuseWhileLost(socket) {
  // socket.io keeps what is emitted while it is not connected, and sends it afterwards.
  const emit = socket.emit;
  socket.emit = function (name, ...data) {
    if (name !== "event" || (socket.connected && !lost)) return emit.call(this, name, ...data);
    status.textContent = "";
    status.textContent = NOT_NOW;
    return this;
  };
}

function watch() {
  // NiceGUI shows its pop-up, of which a screen reader learns nothing.
  status = document.createElement("div");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  document.body.append(status);
  reassurance = document.createElement("span");
  document.getElementById("popup").append(reassurance);
  refuseWhileLost(window.socket);
  window.socket.on("disconnect", lose);
  window.socket.on("connect_error", lose); // also where the very first connection does not come about
  window.socket.on("connect", find);
  addEventListener("offline", lose); // known at once, where the socket hears of it only after a silence
  addEventListener("online", find);
  document.addEventListener("authkeys-settled", show);
}

addEventListener("load", watch);
