// The lines of the review: groups that open, and below each its rows with what is staged for them. However many there are, only
// those in sight and some around them are here; they come in blocks as one scrolls, and go again. It is one Tab stop: up and down
// go from row to row, left and right from button to button within one.

import { line } from "./review_lines.js";
import { page } from "./page.js";

const BLOCK = 100; // lines that are asked for at once
const KEPT = 6; // blocks
const AROUND = 20; // lines drawn above what is in sight, and below it
const LOWEST = 30; // pixels that a line has at least
const TALLEST = 8e6; // pixels; what is much taller no browser draws
const RETRY_MS = 1000;

let list = null;
let above = null; // stands for what is not drawn there
let below = null;
let blocks = new Map(); // number of a block -> its lines
let asked = new Set(); // the blocks that are on their way
let generation = 0; // of what is reviewed; answers about an older one are dropped
let total = 0;
let upperEdge = 0; // of the list, in the window
let first = 0; // the place of the first line that is drawn
let height = 0; // of a line, all in all, as the first ones that were drawn have it
let search = "";
let folds = new Map(); // group -> whether it is open: what one sees stays so, also when other groups come before it
let cursor = { place: 0, key: null, control: 0 }; // where the keyboard is, or comes in

// -- what Python says ------------------------------------------------------------------------------------------------

export function openReview() {
  begin();
  search = "";
  showAnother();
}

export const refreshReview = () => void load(here, true);

export function searchReview(text) {
  if (text === search) return;
  search = text;
  showAnother();
}

function begin() {
  if (list) return;
  list = document.querySelector(".review-list");
  [above, below] = ["above", "below"].map(() => Object.assign(document.createElement("div"), { role: "presentation" }));
  list.append(above, below);
  list.addEventListener("scroll", () => requestAnimationFrame(() => draw()));
  list.addEventListener("click", onClick);
  list.addEventListener("keydown", onKeyDown);
  list.addEventListener("focusin", onFocus);
  new ResizeObserver(() => draw()).observe(list);
}

function showAnother() {
  cursor = { place: 0, key: null, control: 0 };
  folds = new Map();
  height = 0;
  load(() => ({ place: 0, offset: 0 }), false);
}

// -- asking ----------------------------------------------------------------------------------------------------------

const blockOf = (place) => Math.floor(place / BLOCK);
const lineAt = (place) => blocks.get(blockOf(place))?.[place % BLOCK];

// Everything anew, in place of what is shown. Where `follows`, the anchor's line stays where it is, or the next that is still there.
async function load(anchorNow, follows) {
  const mine = ++generation;
  asked = new Set();
  const start = blockOf(Math.max(0, anchorNow().place - AROUND));
  const answers = await Promise.all([start, start + 1].map((number) => ask(number, mine)));
  if (mine !== generation || !answers[0]) return;
  blocks = new Map(answers.map((answer, at) => [start + at, answer?.lines ?? []]).filter(([, lines]) => lines.length));
  tell(answers[0]);
  const { place, offset } = anchorNow();
  const now = follows ? placeOf(drawn().slice(place - first)) : undefined;
  draw({ place: now ?? Math.max(0, Math.min(place, total - 1)), offset });
}

async function fetchBlock(number) {
  if (asked.has(number)) return;
  const mine = generation;
  asked.add(number);
  const answer = await ask(number, mine);
  if (mine !== generation || !answer) return;
  asked.delete(number);
  blocks.set(number, answer.lines);
  const near = blockOf(here().place);
  for (const each of blocks.keys()) if (Math.abs(each - near) > KEPT / 2) blocks.delete(each);
  tell(answer);
  draw();
}

async function ask(number, mine) {
  const chosen = (is) => [...folds].filter(([, open]) => open === is).map(([group]) => group).join();
  const parameters = new URLSearchParams({ search, open: chosen(true), closed: chosen(false), start: number * BLOCK, end: (number + 1) * BLOCK });
  while (mine === generation) {
    const answer = await fetch(`${page.rowsUrl}/review?${parameters}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) return answer.json();
    if (answer?.status === 401) location.reload(); // signed out
    if (answer && answer.status < 500) return null;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return null;
}

// Where the first of these lines stands now.
function placeOf(lines) {
  const places = new Map([...blocks].flatMap(([number, told]) => told.map(({ key }, at) => [key, number * BLOCK + at])));
  return places.get(lines.find(({ dataset }) => places.has(dataset.key))?.dataset.key);
}

function tell(answer) {
  total = answer.total;
  answer.lines.filter(({ title }) => title).forEach(({ key, open }) => folds.set(key, open));
  list.setAttribute("role", total ? "treegrid" : "group");
  total ? list.setAttribute("aria-rowcount", total) : list.removeAttribute("aria-rowcount");
  const rows = answer.rows.toLocaleString("en");
  document.querySelector(".review-found").textContent = search ? `${rows} ${page.noun}${answer.rows === 1 ? "" : "s"} found` : "";
}

// -- drawing ---------------------------------------------------------------------------------------------------------

const drawn = () => (list ? [...list.children].slice(1, -1) : []);

// The line at the upper edge, and how far below that edge it begins; where nothing is drawn, the one that would stand there.
function here() {
  const top = list.scrollTop;
  const lines = drawn();
  const at = lines.findIndex((each) => each.offsetTop + each.offsetHeight > top);
  if (at > 0 || lines[at]?.offsetTop < top + list.clientHeight) return { place: first + at, offset: lines[at].offsetTop - top };
  if (at === 0) return { place: Math.floor((first * top) / above.offsetHeight), offset: 0 };
  const end = first + lines.length;
  const beyond = Math.floor(((total - end) * (top - below.offsetTop)) / (below.offsetHeight || 1));
  return { place: Math.max(0, Math.min(total - 1, end + beyond)), offset: 0 };
}

function draw(anchor = here()) {
  if (!list.clientHeight) return;
  const { top } = list.getBoundingClientRect();
  if (list.scrollTop) anchor.offset -= top - upperEdge; // what is said above the list has grown: the lines stay where they are
  upperEdge = top;
  const hadFocus = list.contains(document.activeElement);
  first = Math.max(0, anchor.place - AROUND);
  const end = Math.min(total, anchor.place + AROUND + Math.ceil(list.clientHeight / LOWEST));
  put(Array.from({ length: end - first }, (_, at) => elementAt(first + at)));
  stretch(anchor, end);
  setStop(hadFocus);
  for (let number = blockOf(first); number <= blockOf(Math.max(first, end - 1)) && total; number++) {
    if (!blocks.has(number)) fetchBlock(number);
  }
}

function elementAt(place) {
  const told = lineAt(place);
  const key = told?.key ?? `at ${place}`;
  const text = JSON.stringify(told ?? null);
  const there = list.querySelector(`:scope > [data-key="${CSS.escape(key)}"]`);
  const element = there?.told === text ? there : Object.assign(line(told, height), { told: text });
  element.dataset.key = key;
  element.dataset.place = place;
  element.setAttribute("aria-rowindex", place + 1);
  return element;
}

// Only what differs is touched: what stays keeps its focus.
function put(lines) {
  const wanted = new Set(lines);
  drawn().filter((each) => !wanted.has(each)).forEach((each) => each.remove());
  let next = above.nextSibling;
  for (const each of lines) each === next ? (next = next.nextSibling) : list.insertBefore(each, next);
}

// The spaces above and below, so that the anchor stays where it is and the scrollbar says how much there is.
function stretch(anchor, end) {
  const top = list.scrollTop;
  const lines = drawn();
  const anchored = lines[anchor.place - first];
  if (!anchored) return void [above, below].forEach((each) => (each.style.height = "0"));
  height ||= (lines.at(-1).offsetTop + lines.at(-1).offsetHeight - lines[0].offsetTop) / lines.length;
  const each = Math.min(height, TALLEST / total);
  // Whoever scrolled stays there; else, and where there would be no way up, it is as much as the lines there take.
  const room = anchor.jumps ? 0 : above.offsetHeight + top + anchor.offset - anchored.offsetTop;
  above.style.height = `${first && (room > 0 ? room : first * each)}px`;
  below.style.height = `${(total - end) * each}px`;
  const wanted = anchored.offsetTop - anchor.offset;
  if (Math.abs(list.scrollTop - wanted) > 1) list.scrollTop = wanted;
}

// -- what one does ---------------------------------------------------------------------------------------------------

const controlsIn = (element) => [...(element?.querySelectorAll("button, summary") ?? [])].filter((each) => each.checkVisibility());

function onClick({ target }) {
  const button = target.closest("button");
  const line = button?.closest("[data-place]");
  const told = line && lineAt(Number(line.dataset.place));
  if (told) told.title ? fold(told, line) : button.act(told);
}

function fold(group, line) {
  folds.set(group.key, !group.open);
  load(() => ({ place: Number(line.dataset.place), offset: line.offsetTop - list.scrollTop }), true);
}

function onFocus({ target }) {
  if (target === list) return void setStop(true);
  const element = target.closest("[data-place]");
  cursor = { place: Number(element.dataset.place), key: element.dataset.key, control: controlsIn(element).indexOf(target) };
  setStop(false);
}

// The one Tab stop: the button at the cursor if it is drawn, else the list. What had the focus and is gone hands it on.
function setStop(focuses) {
  const lines = drawn();
  const element = lines.find(({ dataset }) => dataset.key === cursor.key) ?? lines[Math.min(cursor.place, total - 1) - first];
  const controls = controlsIn(element);
  const stop = controls[Math.min(Math.max(cursor.control, 0), controls.length - 1)] ?? list;
  for (const each of [list, ...controlsIn(list)]) each.tabIndex = each === stop ? 0 : -1;
  const focused = document.activeElement;
  if (focuses && (focused === list || !list.contains(focused))) stop.focus({ preventScroll: true });
}

function onKeyDown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const inSight = Math.max(1, Math.floor(list.clientHeight / (height || LOWEST)) - 1);
  const { place, control } = cursor;
  const to = {
    ArrowDown: [place + 1, 0], ArrowUp: [place - 1, 0], PageDown: [place + inSight, 0], PageUp: [place - inSight, 0],
    Home: [0, 0], End: [total - 1, 0], ArrowRight: [place, control + 1], ArrowLeft: [place, control - 1],
  }[event.key];
  if (!to) return;
  event.preventDefault();
  go(Math.max(0, Math.min(total - 1, to[0])), Math.max(0, to[1]));
}

function go(place, control) {
  if (!drawn()[place - first]) {
    cursor = { place, key: null, control };
    list.focus({ preventScroll: true }); // until the line has come
    draw({ place, offset: 0, jumps: true });
  }
  const element = drawn()[place - first];
  const controls = controlsIn(element);
  const next = controls[Math.min(control, controls.length - 1)];
  next?.focus({ preventScroll: true });
  (control ? next : element)?.scrollIntoView({ block: "nearest" });
}
