// What another admin just changed is marked for some seconds, with the name.

import { draw, grid } from "./grid.js";

const FLASH_MS = 4000;

const flashes = new Map(); // row id -> {mask, whole, by}

export const flashOf = (id) => flashes.get(id);

export function flash(changes, by) {
  const mine = new Map(changes.map(([id, mask, whole]) => [id, { mask, whole, by }]));
  mine.forEach((each, id) => flashes.set(id, each));
  const redraw = () => {
    const nodes = changes.map(([id]) => grid.api?.getRowNode(String(id))).filter((node) => node?.data);
    nodes.forEach((node) => draw(node, { ...node.data }));
  };
  redraw();
  setTimeout(() => {
    mine.forEach((each, id) => flashes.get(id) === each && flashes.delete(id)); // not a newer one
    redraw();
  }, FLASH_MS);
}
