// Times of the past as people say them, kept fresh, in the words of `ago` in models/wording.py; on hover exactly, in UTC and
// by the clock here.

const TELLING_MS = 10_000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;

export function ago(at, now = Date.now()) {
  const seconds = (new Date(at) - now) / -1000;
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  if (seconds < MONTH) return `${Math.floor(seconds / DAY)} d ago`;
  return new Date(at).toISOString().slice(0, 10);
}

// Into the text that is there already: it is Vue's, which changes it too.
function tell(time) {
  const said = ago(time.dateTime);
  if (time.firstChild) time.firstChild.data = said;
  else time.textContent = said;
}

export class TimeCell {
  init(params) {
    this.cell = document.createElement("time");
    this.refresh(params);
  }
  getGui() {
    return this.cell;
  }
  refresh({ data, colDef }) {
    const at = data?.[colDef.field];
    if (!at) this.cell.replaceChildren();
    this.cell.dateTime = at ?? "";
    if (at) tell(this.cell);
    return true;
  }
}

function exactly({ target }) {
  const time = target.closest?.("time[datetime]");
  const at = new Date(time?.dateTime);
  if (isNaN(at)) return;
  time.title = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC\n${at.toLocaleString()} here`;
}

["mouseover", "focusin"].forEach((come) => document.addEventListener(come, exactly));
setInterval(() => document.querySelectorAll("time[datetime]:not([datetime=''])").forEach(tell), TELLING_MS);
// The server may say the words that it said before, of another time: nothing then changes but the attribute.
new MutationObserver((changes) => changes.forEach(({ target }) => target.matches("time:not([datetime=''])") && tell(target))).observe(
  document,
  { subtree: true, attributeFilter: ["datetime"] },
);
