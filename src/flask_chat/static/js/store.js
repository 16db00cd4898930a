/**
 * What this browser keeps for its person: localStorage, or memory where the browser refuses it
 * (private windows, a full quota), so that a refusal costs persistence and never a message.
 */
const memory = new Map();

export function read(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key, value) {
  memory.delete(key);
  try {
    localStorage.setItem(key, value);
  } catch {
    memory.set(key, value);
  }
}

export function forget(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was kept, so nothing is left.
  }
}

export function keys(prefix) {
  let kept = [];
  try {
    kept = Object.keys(localStorage);
  } catch {
    // Memory is all there is.
  }
  return [...new Set([...kept, ...memory.keys()])].filter((key) => key.startsWith(prefix));
}

/** Calls back with (key, old, new) when another tab of this browser changes something; key is null for a clean sweep. */
export function onChange(callback) {
  addEventListener("storage", ({ key, oldValue, newValue }) => callback(key, oldValue, newValue));
}
