import { send } from "./api.js";
import { named } from "./root.js";
import { forget, read, write } from "./store.js";

const REST = 5 * 60 * 1000;
const EVERY = 60 * 1000;
const SEEN = named("seen");
const RESTING = named("resting");

/** Says that nobody looks at this browser once all of its tabs have been out of sight for five minutes, and when one is back. */
export function watchRest() {
  const look = () => {
    if (!document.hidden) {
      write(SEEN, Date.now());
      if (read(RESTING)) tell(true);
    } else if (!read(RESTING) && Math.abs(Date.now() - Number(read(SEEN))) >= REST) tell(false);
  };
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
  look();
}

function tell(active) {
  if (active) forget(RESTING);
  else write(RESTING, "yes");
  send("PUT", "/api/presence", { active }).catch(() => {});
}
