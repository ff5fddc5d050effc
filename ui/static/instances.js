// Behind a load balancer that gives each request to another instance, a page's scripts, or its socket, reach an instance that does
// not know the page. NiceGUI then loads it anew, which helps after a restart or when an instance went away; here it would do so
// for ever, or show nothing at all.

const UNKNOWN_PAGE = "Implicit handshake failed";
const MOVES = "authkeys-moves";
const TOO_MANY = 4;
const WITHIN_MS = 20_000;
const WORDS =
  "A part of it could not be loaded, or its connection reaches another instance than the page itself. A load balancer must keep " +
  "each browser with one instance (sticky sessions): docs/operate.md says how. What you staged is kept.";

function movesOften() {
  const moves = JSON.parse(sessionStorage.getItem(MOVES) ?? "[]").filter((at) => Date.now() - at < WITHIN_MS);
  moves.push(Date.now());
  sessionStorage.setItem(MOVES, JSON.stringify(moves));
  return moves.length >= TOO_MANY;
}

function giveUp() {
  sessionStorage.removeItem(MOVES);
  window.socket?.disconnect();
  window.stop(); // the reload that NiceGUI has just asked for
  document.body.innerHTML =
    `<main class="stopped" role="alert"><h1>This page does not work</h1><p>${WORDS}</p><p><a href="">Try again</a></p></main>`;
}

function watch() {
  const { socket } = window;
  if (!socket) return giveUp();
  socket.on("connect_error", (error) => error.message === UNKNOWN_PAGE && movesOften() && giveUp());
  socket.on("connect", () => sessionStorage.removeItem(MOVES));
}

addEventListener("load", watch);
