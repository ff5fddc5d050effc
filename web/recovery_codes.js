// Recovery codes are shown once: they can be copied, and saved as a file, without being typed.

const codes = [...document.querySelectorAll(".codes li")].map((each) => each.textContent).join("\n");
const said = document.querySelector("#kept");

document.querySelector("#copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(codes);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "The browser did not allow copying. Select them, or save the file.";
  }
});

const file = document.querySelector("#save");
file.href = URL.createObjectURL(new Blob([`Authkeys recovery codes, each works once\n\n${codes}\n`], { type: "text/plain" }));
for (const each of document.querySelectorAll("#copy, #save")) each.hidden = false;
