// How a page is left: its session is over, its server stopped, or a form is sent.

// As a form that is not in the page.
export function post(action) {
  const form = Object.assign(document.createElement("form"), { method: "post", action });
  document.body.append(form);
  form.submit();
  form.remove();
}

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
