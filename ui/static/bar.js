// How high the bars are, which wrap where there is little room: what stands above them is told.

const HEIGHTS = { ".bar": "--bar-height", ".selection-bar": "--selection-height" };

function watch(selector, name) {
  const bar = document.querySelector(selector);
  const tell = () => document.documentElement.style.setProperty(name, `${bar.offsetHeight}px`);
  if (bar) new ResizeObserver(tell).observe(bar);
}

addEventListener("load", () => Object.entries(HEIGHTS).forEach(([selector, name]) => watch(selector, name)));
