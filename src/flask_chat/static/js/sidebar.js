import { root } from "./root.js";
import { mentions } from "./timeline.js";

const SOON = 150;
const CROWD = 2000;
const nav = document.getElementById("sidebar");
const lists = nav.querySelector(".lists");

/**
 * Keeps the list of rooms as the events tell. Messages are counted here; whatever else has changed, the list is
 * fetched as the server has it. Returns an object with `hear(event)`.
 */
export function keepSidebar({ page, room, username, title, reading, blocked }) {
  let timer = null;
  let heard = [];
  let fetching = false;

  const hear = (event) => {
    const { type } = event;
    if (type === "message.deleted" || type === "room.cleared")
      heard = heard.filter(({ message }) => !gone(event, message));
    if (type === "message.posted") {
      if (timer || fetching) heard.push(event);
      if (!count(event.message)) renew(SOON);
      arrange();
    } else if (type === "read.moved") {
      const entry = entryOf(event.room);
      if (!entry) return;
      entry.dataset.read = event.read_id;
      if (Number(entry.dataset.last) <= event.read_id) show(entry, 0, 0);
      else if (event.room !== room) renew(SOON);
      arrange();
    } else if (type === "membership.removed" && event.room === room) {
      location.assign(`${root}/rooms`);
    } else if (type === "membership.added" && event.room === room && !page.read) {
      location.reload();
    } else if (/^(membership\.|block\.|resync)/.test(type)) {
      renew(SOON);
    } else if (concerns(event)) {
      // Everybody in the room hears of it in the same moment; who does not look can wait.
      const crowd = () => renew(SOON + Math.random() * CROWD);
      if (document.hidden) document.addEventListener("visibilitychange", crowd, { once: true });
      else crowd();
    }
  };

  /** Whether something that many hear of changes what this page says. */
  const concerns = ({ type, room: where, was, username: who, message }) => {
    if (type === "room.changed") return where === room;
    if (type === "room.renamed") return was !== room;
    if (type === "message.edited" && where !== room)
      return fetching || Number(entryOf(where)?.dataset.mentions) > 0 || mentions(message.html, username);
    if (type === "message.deleted" || type === "room.cleared")
      return where !== room && (fetching || Number(entryOf(where)?.dataset.unread) > 0);
    if (type === "person.muted" || type === "person.unmuted") return true;
    const named = (entry) => [was, who].some((name) => entry.textContent.includes(name));
    return /^person\.(renamed|departed)$/.test(type) && entries().some(named);
  };

  /** Counts a message; false if its room is not in the list. */
  const count = ({ id, room: where, author, html }) => {
    const entry = entryOf(where);
    if (!entry) return false;
    if (id <= Number(entry.dataset.last)) return true;
    entry.dataset.last = id;
    if (author !== username && where !== room && !blocked.has(author))
      show(entry, Number(entry.dataset.unread) + 1, Number(entry.dataset.mentions) + mentions(html, username));
    return true;
  };

  const renew = (milliseconds) => {
    timer ??= setTimeout(async () => {
      timer = null;
      fetching = true;
      await fetchLists(room).catch(() => {});
      fetching = false;
      const missed = heard;
      heard = [];
      for (const { message } of missed) count(message);
      arrange();
    }, milliseconds);
  };

  const arrange = () => {
    // Nothing moves away from under a finger, or from the keyboard.
    const held = lists.matches(":hover") || lists.contains(document.activeElement);
    if (!held) lists.querySelectorAll("ul").forEach(order);
    const others = entries().filter((entry) => entry.dataset.room !== room && "wanted" in entry.dataset);
    title.elsewhere = others.reduce((sum, entry) => sum + wanting(entry), 0);
    const badge = document.getElementById("elsewhere");
    badge.hidden = !others.length;
    badge.textContent = others.length;
  };

  lists.addEventListener("pointerleave", arrange);
  lists.addEventListener("focusout", () => setTimeout(arrange));
  arrange();
  return { hear, reading };
}

/** Whether an event says that a message is there no more: it must not be counted again. */
function gone({ type, room, message_id: one, through }, message) {
  return type === "message.deleted" ? message.id === one : message.room === room && message.id <= through;
}

export function entries() {
  return [...lists.querySelectorAll(".entry")];
}

function entryOf(room) {
  return entries().find((entry) => entry.dataset.room === room);
}

/** What the tab's title counts of a room: all of a conversation, and of a room what names me. */
function wanting({ dataset }) {
  return Number(dataset.kind === "direct" || dataset.kind === "group" ? dataset.unread : dataset.mentions);
}

function show(entry, unread, named) {
  const { dataset } = entry;
  dataset.unread = unread;
  dataset.mentions = named;
  const wanted =
    (named && dataset.notify !== "none") || (unread && dataset.notify === "all" && !("muted" in dataset));
  entry.toggleAttribute("data-wanted", Boolean(wanted));
  for (const badge of entry.querySelectorAll(".count")) badge.remove();
  if (named) entry.append(badge("@", named, "for you"));
  if (unread) entry.append(badge("", unread, "unread"));
}

function badge(sign, number, words) {
  const element = document.createElement("b");
  element.className = sign ? "count at" : "count";
  const seen = document.createElement("span");
  seen.ariaHidden = "true";
  seen.textContent = sign + (number > 99 ? "99+" : number);
  const spoken = document.createElement("span");
  spoken.className = "unseen";
  spoken.textContent = `${number} ${words}`;
  element.append(seen, spoken);
  return element;
}

function order(list) {
  const rank = ({ firstElementChild: { dataset } }) => [
    !("wanted" in dataset),
    !("favourite" in dataset),
    Number(dataset.favourite ?? 0),
    -Math.max(dataset.last, dataset.read),
  ];
  const sorted = [...list.children].sort((one, other) => {
    const [ours, theirs] = [rank(one), rank(other)];
    const at = ours.findIndex((value, place) => value !== theirs[place]);
    return at < 0 ? 0 : ours[at] - theirs[at];
  });
  if (sorted.some((item, at) => item !== list.children[at])) list.append(...sorted);
}

/** The same HTML as the page came with, with the room's name and what is below it. */
async function fetchLists(room) {
  const answer = await fetch(`${root}/rooms/${room}`, { cache: "no-store" });
  if (answer.status === 404) return location.assign(`${root}/rooms`);
  if (!answer.ok) throw new Error(answer.statusText);
  if (answer.redirected) return location.replace(answer.url);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.dataset?.room;
  lists.replaceChildren(...fresh.querySelector("#sidebar .lists").childNodes);
  if (focused) entryOf(focused)?.focus();
  // Whether one may write here has changed: the draft is kept, so the page may be loaded anew.
  const open = (page) => page.querySelector("form.composer") !== null;
  if (open(document) !== open(fresh)) location.reload();
  document.querySelector(".titles").replaceChildren(...fresh.querySelector(".titles").childNodes);
}
