// What a key means, on any keyboard layout.

// Where the layout has no Latin letters, the key at the place of one.
export const letter = ({ key, code }) => (/^[a-z]$/i.test(key) ? key : code.replace(/^Key/, "")).toLowerCase();

// 1 to 9, also on layouts that want Shift for digits; 0 for any other key.
export function digit({ key, code, shiftKey }) {
  if (/^[1-9]$/.test(key)) return Number(key);
  return !shiftKey && /^Digit[1-9]$/.test(code) ? Number(code.slice(-1)) : 0;
}

// On a Mac's small keyboard the key named "delete" is Backspace.
export const isDelete = ({ key }) => key === "Delete" || (key === "Backspace" && /Mac/.test(navigator.platform));

export const withModifier = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey;
