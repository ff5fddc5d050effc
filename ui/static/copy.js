// Copying a text by the button beside it. "Copied" is said when it was copied, and not before.

const SAY = { copied: "Copied", not: "Not copied: it is selected now, press Ctrl+C (on a Mac ⌘C)." };

async function byClipboard(text) {
  // Only pages by https, or of this machine, have it.
  if (!navigator.clipboard || !isSecureContext) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not permitted
  }
}

function byCommand(shown) {
  select(shown);
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  }
}

function select(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

// Copies what stands in the `.copyable-text` beside the pressed button.
export async function copyText({ currentTarget }) {
  const box = currentTarget.closest(".copyable");
  const shown = box.querySelector(".copyable-text");
  const done = (await byClipboard(shown.textContent)) || byCommand(shown);
  if (!done) select(shown);
  document.querySelectorAll(".copyable-said").forEach((said) => (said.textContent = "")); // of what was copied before
  box.querySelector(".copyable-said").textContent = done ? SAY.copied : SAY.not;
}
