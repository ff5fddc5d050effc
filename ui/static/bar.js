// How high the bar is, which on a phone has several lines: what stands above it is told by `--bar-height`.

const tell = ([{ target }]) => document.documentElement.style.setProperty("--bar-height", `${target.offsetHeight}px`);

addEventListener("load", () => {
  const bar = document.querySelector(".bar");
  if (bar) new ResizeObserver(tell).observe(bar);
});
