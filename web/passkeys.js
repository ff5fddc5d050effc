// Passkeys: a form with data-passkey fetches what to ask, asks the browser, and sends the answer as its field "answer".
// Pages that use this are plain HTML; without it, or without passkeys in the browser, all else on them works.

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));

async function create(asked) {
  const user = { ...asked.user, id: toBytes(asked.user.id) };
  const excludeCredentials = known(asked.excludeCredentials);
  const publicKey = { ...asked, user, excludeCredentials, challenge: toBytes(asked.challenge) };
  return navigator.credentials.create({ publicKey });
}

async function get(asked) {
  const publicKey = { ...asked, challenge: toBytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
  return navigator.credentials.get({ publicKey });
}

function answerOf(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  return JSON.stringify({ id: credential.id, rawId: credential.id, type: credential.type, response });
}

function tell(form, text) {
  form.querySelector("[role=alert]")?.remove();
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.setAttribute("role", "alert");
  problem.textContent = text;
  form.append(problem);
}

const WORDS = {
  InvalidStateError: "This device has a passkey for this account already.",
  NotAllowedError: "No passkey was used: it was cancelled, took too long, or this device has none for this account.",
  SecurityError: "The browser allows no passkeys at this address.",
};

async function send(form) {
  const told = await fetch(form.dataset.passkey, { method: "POST", headers: { accept: "application/json" } });
  const asked = await told.json();
  if (!told.ok) throw new Error(asked.problem);
  const credential = await (asked.user ? create(asked) : get(asked));
  form.elements.answer.value = answerOf(credential);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(form);
    } catch (error) {
      tell(form, WORDS[error.name] ?? (error instanceof TypeError ? "The server does not answer. Try again." : error.message));
      button.disabled = false;
    }
  });
}
