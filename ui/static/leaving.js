// How a page is left: its session is over, its server stopped, or a form is sent.

// As a form that is not in the page.
export function post(action) {
  const form = Object.assign(document.createElement("form"), { method: "post", action });
  document.body.append(form);
  form.submit();
  form.remove();
}

const here = (rootPath) => location.pathname.slice(rootPath.length) + location.search || "/";

export function leave(rootPath, signIn) {
  location.replace(`${rootPath}${signIn}?ended=1&next=${encodeURIComponent(here(rootPath))}`);
}

// To where one confirms who one is, and back. What is typed in a dialog would be lost: then in a window beside.
export function proveAgain(rootPath, confirm) {
  const to = `${rootPath}${confirm}?next=${encodeURIComponent(here(rootPath))}`;
  if (document.querySelector(".q-dialog")) window.open(to, "_blank");
  else location.assign(to);
}

export function stopped() {
  setTimeout(() => { // after the answer that the server waits for
    window.socket?.disconnect();
    document.body.innerHTML = '<main class="stopped"><h1>Authkeys has stopped</h1><p>What you staged is kept.</p></main>';
  });
}
