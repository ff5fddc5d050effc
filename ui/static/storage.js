// A browser may refuse a page its storage altogether. NiceGUI's client cannot begin without it, so then there is one that
// lasts as long as the page. Read before everything else.
"use strict";

(() => {
  try {
    sessionStorage.getItem("");
  } catch {
    const kept = new Map();
    const value = {
      getItem: (name) => kept.get(String(name)) ?? null,
      setItem: (name, text) => void kept.set(String(name), String(text)),
      removeItem: (name) => void kept.delete(String(name)),
    };
    Object.defineProperty(window, "sessionStorage", { value });
  }
})();
