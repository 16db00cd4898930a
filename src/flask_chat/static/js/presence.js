import { request } from "./api.js";
import { entries } from "./sidebar.js";

const EVERY = 60000;
const WORDS = { online: "Online", away: "Away", offline: "Offline" };

/** Shows who of those that the reader talks with alone is there, looked up once a minute while the page is. */
export function showPresence() {
  const look = async () => {
    const people = entries().flatMap(({ dataset }) => dataset.person ?? []);
    if (document.hidden || !people.length) return;
    const query = new URLSearchParams({ people: people.slice(0, 200) });
    const found = await request(`/api/presence?${query}`).catch(() => null);
    if (found) entries().forEach((entry) => show(entry, found.people[entry.dataset.person]));
  };
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}

function show(entry, state) {
  if (!(state in WORDS)) return;
  entry.dataset.presence = state;
  entry.querySelector(".there").textContent = WORDS[state];
  if (entry.ariaCurrent === "page") {
    const about = document.querySelector("[data-presence-of]");
    if (about) about.textContent = WORDS[state];
  }
}
