// Runs in the measured page before its own scripts. A moment counts when the frame that shows it has been painted.
"use strict";

window.benchmark = (() => {
  const ROWS = '.ag-pinned-left-cols-container .ag-row [col-id="ip"]';
  const EMPTY = "There are no authorization keys";

  function painted(condition) {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return requestAnimationFrame(look);
        // In the frame's callback: what the condition saw is painted right after it, before the next task.
        setTimeout(() => resolve(performance.now()), 0);
      };
      requestAnimationFrame(look);
    });
  }

  function hit(element) {
    const { x, y, width, height } = element.getBoundingClientRect();
    return width > 0 && document.elementFromPoint(x + width / 2, y + height / 2) === element;
  }

  // Rows: the first row's text is there and its first checkbox would get a click. No keys: the message is there. In both
  // cases the page's socket has made its handshake, so that what is done next reaches the server at once.
  function isUsable() {
    if (!window.did_handshake) return false;
    const box = document.querySelector('.ag-row[row-index="0"] input[type=checkbox]');
    if (box && !box.disabled && shown().length) return hit(box);
    const empty = document.querySelector(".empty");
    return Boolean(empty && empty.getClientRects().length && empty.innerText.includes(EMPTY));
  }

  function shown() {
    return [...document.querySelectorAll(ROWS)].map((cell) => cell.innerText.trim()).filter(Boolean);
  }

  function services() {
    return [...document.querySelectorAll('.ag-row [col-id="service"]')].map((cell) => cell.innerText.trim()).filter(Boolean);
  }

  function after(event, condition) {
    let started;
    const note = ({ timeStamp }) => (started ??= timeStamp);
    document.addEventListener(event, note, { capture: true, once: true });
    benchmark.expected = painted(() => started !== undefined && condition()).then((now) => {
      benchmark.moments = { started, now };
      return now - started;
    });
  }

  return {
    usable: painted(isUsable),
    expected: null,
    moments: null,
    moves: [],
    expect(selector, text, event) {
      after(event, () => document.querySelector(selector)?.innerText === text);
    },
    expectOnly(ip) {
      after("input", () => shown().length === 1 && shown()[0] === ip);
    },
    expectSeveral() {
      after("input", () => shown().length > 1);
    },
    expectService(text) {
      after("input", () => services().length > 1 && services().every((service) => service.includes(text)));
    },
    expectOtherService(text) {
      after("input", () => services().some((service) => !service.includes(text)));
    },
    // All that a move does, from its first event to the layout after its last one.
    watchMoves() {
      let began;
      benchmark.moves = [];
      addEventListener("pointerover", () => (began ??= performance.now()), true);
      addEventListener("mousemove", () => {
        if (began === undefined) return;
        document.body.getBoundingClientRect();
        benchmark.moves.push(performance.now() - began);
        began = undefined;
      });
    },
    expectCommitted(label) {
      const cell = () => document.querySelector(`input[aria-label="${CSS.escape(label)}"]`)?.closest(".ag-cell");
      benchmark.expected = painted(() => cell()?.classList.contains("cell-flash"));
    },
  };
})();
