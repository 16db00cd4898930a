import { newId } from "./ids.js";
import { forget, read, write } from "./store.js";

const LEASE = 8000;
const me = newId();

/**
 * Runs `work` while no other tab of this browser runs work of the same name; resolves to what it resolves to.
 * Without Web Locks (plain HTTP at a network address) a lease in localStorage stands in: two tabs can then meet in
 * rare cases, so the work must bear being done twice.
 */
export function exclusive(name, work) {
  if (navigator.locks) return navigator.locks.request(name, work);
  return leased(name, work);
}

async function leased(name, work) {
  while (!takeLease(name, LEASE)) await pause(100 + Math.random() * 100);
  const renewal = setInterval(() => takeLease(name, LEASE), LEASE / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    dropLease(name);
  }
}

/** Takes or renews this tab's lease for some milliseconds; false while another tab holds it. */
export function takeLease(name, milliseconds) {
  const [holder, until] = (read(name) || "").split(" ");
  const left = Number(until) - Date.now();
  // A lease that runs longer than any lease was written under another clock.
  if (holder && holder !== me && left > 0 && left < 120000) return false;
  write(name, `${me} ${Date.now() + milliseconds}`);
  return true;
}

/** Takes a lease that others may be reaching for too: of those, one alone resolves to true. */
export async function winLease(name, milliseconds) {
  await pause(Math.random() * 100);
  if (!takeLease(name, milliseconds)) return false;
  // The last to write has it; a moment later all tabs read the same.
  await pause(150);
  return holds(name);
}

export function dropLease(name) {
  if (holds(name)) forget(name);
}

function holds(name) {
  return Boolean(read(name)?.startsWith(me));
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
