// How a page ends: its session is over, or its server stopped.

export function leave(rootPath, signIn) {
  const here = location.pathname.slice(rootPath.length) + location.search;
  location.replace(`${rootPath}${signIn}?ended=1&next=${encodeURIComponent(here || "/")}`);
}

export function stopped() {
  setTimeout(() => { // after the answer that the server waits for
    window.socket?.disconnect();
    document.body.innerHTML = '<main class="stopped"><h1>Authkeys has stopped</h1><p>What you staged is kept.</p></main>';
  });
}
