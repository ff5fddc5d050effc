// Forms: Enter submits, also with the focus on one of their boxes; Space ticks it. Quasar's boxes take both for a tick. Of a
// double click on what does something the first counts: what it opened is looked at before it is submitted.

function onKey(event) {
  if (event.key !== "Enter" || !event.target.closest("fieldset.privileges [role=checkbox]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.type === "keydown" && !event.repeat) event.target.closest(".dialog").querySelector(".q-btn.primary")?.click();
}

function onClick(event) {
  if (event.detail < 2 || !event.target.closest(".q-btn.primary")) return;
  event.preventDefault(); // a form would be sent twice
  event.stopImmediatePropagation();
}

addEventListener("click", onClick, true);
addEventListener("keydown", onKey, true);
addEventListener("keyup", onKey, true);
