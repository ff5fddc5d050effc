// What opens over the page, as a screen reader needs it: Quasar puts menus outside of every landmark, and into a listbox an
// element with a tabindex of its own, which may not be there (ARIA, "required owned elements").

function name(portal) {
  if (portal.querySelector("[role=listbox]")) Object.assign(portal, { role: "region", ariaLabel: "Choices" });
  portal.querySelectorAll(".q-virtual-scroll__content[tabindex]").forEach((list) => list.removeAttribute("tabindex"));
}

function watch(portal) {
  name(portal);
  new MutationObserver(() => name(portal)).observe(portal, { childList: true, subtree: true }); // goes with the portal
}

// Those that are open: what was closed, and still fades, is in nobody's way.
export const MENU = ".q-menu:not([class*='-leave-active'])";
export const DIALOG = ".q-dialog__inner:not([class*='-leave-active'])";

const isPortal = (node) => node.id?.startsWith("q-portal--menu");
const found = (changes) => changes.forEach(({ addedNodes }) => [...addedNodes].filter(isPortal).forEach(watch));
addEventListener("load", () => new MutationObserver(found).observe(document.body, { childList: true }));
