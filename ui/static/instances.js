// Behind a load balancer that gives each request to another instance, a page's socket finds an instance that does not know the
// page. NiceGUI then loads it anew, which helps after a restart or when an instance went away; here it would do so for ever.

const UNKNOWN_PAGE = "Implicit handshake failed";
const MOVES = "authkeys-moves";
const TOO_MANY = 4;
const WITHIN_MS = 20_000;
const WORDS =
  "Its connection reaches another instance than the page itself. The load balancer must keep each browser with one instance " +
  "(sticky sessions): docs/operate.md says how. What you staged is kept.";

function movesOften() {
  const moves = JSON.parse(sessionStorage.getItem(MOVES) ?? "[]").filter((at) => Date.now() - at < WITHIN_MS);
  moves.push(Date.now());
  sessionStorage.setItem(MOVES, JSON.stringify(moves));
  return moves.length >= TOO_MANY;
}

function giveUp(socket) {
  sessionStorage.removeItem(MOVES);
  socket.disconnect();
  window.stop(); // the reload that NiceGUI has just asked for
  document.body.innerHTML = `<main class="stopped" role="alert"><h1>This page cannot work here</h1><p>${WORDS}</p></main>`;
}

function watch() {
  const { socket } = window;
  socket.on("connect_error", (error) => error.message === UNKNOWN_PAGE && movesOften() && giveUp(socket));
  socket.on("connect", () => sessionStorage.removeItem(MOVES));
}

addEventListener("load", watch);
