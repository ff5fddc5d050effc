// Forms: Enter submits, also with the focus on one of their boxes; Space ticks it. Quasar's boxes take both for a tick.

function onKey(event) {
  if (event.key !== "Enter" || !event.target.closest("fieldset.privileges [role=checkbox]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (event.type === "keydown" && !event.repeat) event.target.closest(".dialog").querySelector(".q-btn.primary")?.click();
}

addEventListener("keydown", onKey, true);
addEventListener("keyup", onKey, true);
