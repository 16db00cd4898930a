import { messages } from "./api.js";
import { keepDays } from "./clock.js";
import { Composer } from "./composer.js";
import { readBack } from "./earlier.js";
import { Feed } from "./feed.js";
import { holdTyped } from "./meanwhile.js";
import { Outbox, strayed } from "./outbox.js";
import { Pending } from "./pending.js";
import { Reading } from "./reading.js";
import { root } from "./root.js";
import { Scroll } from "./scroll.js";
import { keepSession, leave, prepareSignOut } from "./session.js";
import { Status } from "./status.js";
import { Timeline } from "./timeline.js";
import { Title } from "./title.js";

const page = document.body.dataset;
const { room, username } = page;
const latest = page.latest === "true";
const MINUTE = 60 * 1000;
const GROUPED = 5 * MINUTE;
const CROWD = MINUTE / 3;
const part = (id) => document.getElementById(id);

const timeline = new Timeline(part("log"), username);
const title = new Title();
const status = new Status(part("status"), part("composer"));
const scroll = new Scroll(part("scroller"), seen);
const earlier = readBack(room, timeline, part("scroller"), () => reading?.place());
const reading = latest && page.read ? new Reading({ room, username, timeline, scroll, earlier, page }) : null;
const pending = new Pending(part("outbox"), (text) => giveBack(text));
const outbox = new Outbox(username, { changed: showPending, sent: show, gone: leave });
const composer =
  part("composer") && new Composer(part("composer"), { username, room, most: Number(page.maxText), send });

/** What only some need is fetched when they do; where it cannot be just now, it is tried again the next time. */
const once = (fetch) => {
  let fetched;
  const failed = () => {
    fetched = undefined;
    return new Promise(() => {});
  };
  return () => (fetched ??= fetch().catch(failed));
};
const blocked = new Set(JSON.parse(page.blocked ?? "[]"));
const giveBack = (text) => composer?.giveBack(text);
const context = { page, room, username, timeline, title, scroll, reading, status, blocked, giveBack };
const sidebar = once(async () => (await import("./sidebar.js")).keepSidebar(context));
const typing = once(async () => new (await import("./typing.js")).Typing(part("typing"), room));
const actions = once(async () => (await import("./actions.js")).offerActions(context));
const editing = once(() => import("./editing.js"));
const folded = once(async () => (await import("./folded.js")).foldBlocked(context));
const moved = once(() => import("./moved.js"));
const renamed = once(() => import("./renamed.js"));
const menus = once(async () => (await import("./menus.js")).prepareMenus());
const presence = once(async () => (await import("./presence.js")).showPresence());
const resting = once(async () => (await import("./resting.js")).watchRest());
const keys = once(async () => (await import("./keys.js")).hearKeys());

keepSession(username);
keepDays(part("log"));
for (const form of document.querySelectorAll(".sign-out")) prepareSignOut(form, username, outbox);
document.addEventListener("visibilitychange", seen);
document.addEventListener("keydown", (event) => {
  const { key, altKey, ctrlKey, metaKey } = event;
  if (((ctrlKey || metaKey) && key === "k") || (altKey && (key === "ArrowUp" || key === "ArrowDown"))) {
    event.preventDefault();
    press(event);
  }
});
part("find").hidden = false;
if (navigator.platform.startsWith("Mac")) part("find").lastElementChild.textContent = "⌘ K";
part("find").addEventListener("click", () => press());
for (const menu of document.querySelectorAll(".menu")) menu.addEventListener("toggle", menus, { once: true });
for (const when of ["pointerover", "focusin"]) part("log").addEventListener(when, actions, { once: true });
part("scroller").addEventListener("focus", actions, { once: true });
part("message")?.addEventListener("keydown", (event) => {
  const { key, target, shiftKey, ctrlKey, altKey, metaKey, isComposing, keyCode } = event;
  if (key !== "ArrowUp" || target.value || isComposing || keyCode === 229 || !(latest && page.edits)) return;
  if (!(shiftKey || ctrlKey || altKey || metaKey)) editing().then(({ editLast }) => editLast(context), event.preventDefault());
});
part("composer")?.addEventListener("input", ({ target }) => target.value && typing().then((hints) => hints.typed()));
if (document.querySelector("#empty [data-invite]")) menus();
if (page.blocked) folded();
if (part("sidebar").querySelector("[data-wanted]:not([aria-current])")) sidebar();
if (part("sidebar").querySelector("[data-person]")) presence();
setTimeout(resting, MINUTE);

if (latest) outbox.start();
if (strayed(username).length) moved().then((kept) => kept.cameAlong(username, () => outbox.start()));
new Feed(username, page.cursor, { events, signal, state: (state) => status.show(state), gone: leave }).start();
seen();

async function press(event) {
  if (event?.repeat) return;
  const held = event?.altKey ? () => "" : holdTyped();
  if (!held) return;
  const pressed = await keys();
  const typed = held();
  if (typed !== undefined) pressed(event, typed);
}

function send(text) {
  outbox.add(room, text);
  const home = `${root}/rooms/${room}`;
  // An older page has no present to show it in; an address that fills in the box would fill it in again.
  if (!latest) return location.assign(home);
  const plain = location.pathname === home || location.pathname.startsWith(`${root}/chat/`);
  if (!plain || location.search) history.replaceState(null, "", home);
  scroll.toEnd();
}

function events(batch) {
  for (const event of batch) {
    const { type, message } = event;
    const mine = event.room === room;
    const here = latest && mine;
    if (type === "resync") startOver();
    // Whose account is gone, no event says: what stands here of theirs is read anew, not by everybody at once.
    if (type === "person.departed" && !event.was) setTimeout(startOver, Math.random() * CROWD);
    if (type.startsWith("person.") && blocked.delete(event.was)) blocked.add(event.username);
    if (type === "message.posted" && here) receive(message);
    else if (type === "message.edited" && mine)
      scroll.holdFor(part(`message-${message.id}`), () => timeline.change(message));
    else if (type === "message.deleted" && mine)
      scroll.holdFrom(part(`message-${event.message_id}`), () => timeline.remove(event.message_id));
    else if (type === "room.cleared" && mine) timeline.clear(event.through);
    else if (type === "read.moved" && here && reading?.moved(event.read_id)) title.clear();
    else if (type.startsWith("block.")) folded().then((fold) => fold(event));
    else if (type === "person.renamed" && event.was === username)
      moved().then((kept) => leave(kept.personMoved(username, event.username)));
    else if (type === "room.renamed") moved().then((kept) => kept.roomMoved(username, room, event));
    else if (type.startsWith("person.") && event.was) renamed().then(({ rename }) => rename(event));
    if (type !== "message.posted" || event.room !== room) sidebar().then((rooms) => rooms.hear(event));
  }
}

function signal(name, { room: where, username: who }) {
  if (name === "typing" && where === room && who !== username && part("typing"))
    typing().then((hints) => hints.heard(who));
}

function receive(message) {
  const article = show(message);
  if (message.author === username && message.client_id) outbox.settle(message.client_id);
  if ("typing" in page) typing().then((hints) => hints.said(message.author));
  if (!article || message.author === username || (scroll.atEnd && !document.hidden)) return seen();
  const missed = reading?.missed(article);
  if (!scroll.atEnd) scroll.offerNews(missed);
  title.add();
}

function show(message) {
  if (message.room !== room) return null;
  part("empty")?.remove();
  const article = scroll.hold(() => timeline.insert(message));
  if (scroll.atEnd && timeline.trim()) earlier.more();
  return article;
}

function showPending(entries) {
  const here = entries.filter((entry) => entry.room === room).concat(entries.filter(lost).map(named));
  if (here.length) part("empty")?.remove();
  const last = [...timeline.articles].at(-1);
  const continues = "mine" in (last?.dataset ?? {}) && Date.now() - Date.parse(last.dataset.at) < GROUPED;
  scroll.hold(() => pending.show(here, outbox, continues));
}

/** Whether something was refused for a room that is no longer mine: it has no page of its own to be shown on. */
function lost({ room: where, refused }) {
  return refused && where !== room && !document.querySelector(`#sidebar [data-room="${CSS.escape(where)}"]`);
}

function named(entry) {
  return { ...entry, refused: `For “${entry.room}”: ${entry.refused}` };
}

async function startOver() {
  if (!latest) return;
  const present = await messages.latest(room).catch(() => null);
  if (!present) return location.reload();
  timeline.replace(present);
  earlier.more();
  seen();
}

function seen() {
  if (document.hidden || !scroll.atEnd) return;
  title.clear();
  reading?.reached();
}
