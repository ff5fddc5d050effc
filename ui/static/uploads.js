// What is pasted or dropped goes to the server as it is; the page is then told of it, and says what came of it.

import { say } from "./notices.js";
import { page } from "./page.js";
import { tellNow } from "./selection.js";

export async function send(body, told) {
  tellNow();
  const size = body.size ?? body.length;
  if (size > page.maxUpload) return say(`It has ${size.toLocaleString("en")} bytes; at most ${page.maxUpload.toLocaleString("en")} are read. Import it in several files.`);
  const answer = await fetch(page.uploadsUrl, { method: "POST", body }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (answer?.ok) emitEvent("uploaded", { name: "", row: 0, columns: [], ...told, token: said.token });
  else say(said?.error ?? "It was not sent: the server does not answer. Try again.");
}
