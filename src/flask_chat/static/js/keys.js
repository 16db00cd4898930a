import { root } from "./root.js";
import { entries } from "./sidebar.js";
import { openSwitcher } from "./switcher.js";

/**
 * The page's shortcuts: Ctrl or ⌘ K opens the switcher, Alt with an arrow goes to the room above or below, with Shift
 * to the next that has something new. Returns what is called with the key, and what was typed after it; without a key it
 * opens the switcher.
 */
export function hearKeys() {
  return (event, typed) => {
    if (!event?.altKey) return openSwitcher(typed);
    return go(event.key === "ArrowUp" ? -1 : 1, event.shiftKey);
  };
}

function go(step, onlyNew) {
  const all = entries();
  const here = all.findIndex((entry) => entry.ariaCurrent === "page");
  for (let at = here + step; at >= 0 && at < all.length; at += step) {
    if (onlyNew && !("wanted" in all[at].dataset)) continue;
    return location.assign(`${root}/rooms/${all[at].dataset.room}`);
  }
  return undefined;
}
