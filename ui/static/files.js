// Files: dropped onto the page, chosen, and exported.

import { post } from "./leaving.js";
import { page } from "./page.js";
import { send } from "./uploads.js";

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

function onDrag(event) {
  if (!hasFiles(event)) return;
  event.preventDefault(); // else the browser opens the file instead of the page
  document.body.classList.toggle("dropping", event.type === "dragover" && takesFiles());
}

const takesFiles = () => page.mayChange && page.takesFiles;

function onDrop(event) {
  onDrag(event);
  const [file] = event.dataTransfer?.files ?? [];
  if (file && takesFiles()) send(file, { name: file.name });
}

export function chooseFile() {
  const input = Object.assign(document.createElement("input"), { type: "file", accept: ".csv,text/csv,text/plain" });
  input.addEventListener("change", () => input.files[0] && send(input.files[0], { name: input.files[0].name }));
  input.click();
}

// A form, so that the browser saves the answer as a file.
export function exportView() {
  const parameters = new URLSearchParams(page.query);
  parameters.set("format", "csv");
  post(`${page.exportUrl}?${parameters}`);
}

["dragover", "dragleave", "dragend"].forEach((name) => addEventListener(name, onDrag));
addEventListener("drop", onDrop);
