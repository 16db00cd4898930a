import { messages } from "./api.js";
import { keepDays } from "./clock.js";
import { Composer } from "./composer.js";
import { readBack } from "./earlier.js";
import { Feed } from "./feed.js";
import { prepareInvites } from "./invite.js";
import { Outbox } from "./outbox.js";
import { Pending } from "./pending.js";
import { root } from "./root.js";
import { Scroll } from "./scroll.js";
import { keepSession, leave, prepareSignOut } from "./session.js";
import { Status } from "./status.js";
import { Timeline } from "./timeline.js";
import { Title } from "./title.js";

const { room, username, cursor, latest, maxText } = document.body.dataset;
const GROUPED = 5 * 60 * 1000;
const part = (id) => document.getElementById(id);

const timeline = new Timeline(part("log"), username);
const title = new Title();
const status = new Status(part("status"));
const scroll = new Scroll(part("scroller"), seen);
const earlier = readBack(room, timeline, part("scroller"));
const pending = new Pending(part("outbox"), (text) => composer.giveBack(text));
const outbox = new Outbox(username, { changed: showPending, sent: show, gone: leave });
const composer = new Composer(part("composer"), { username, room, most: Number(maxText), send });

keepSession(username);
keepDays(part("log"));
prepareInvites();
prepareSignOut(document.querySelector(".sign-out"), username, outbox);
document.addEventListener("visibilitychange", seen);

if (latest === "true") {
  outbox.start();
  new Feed(username, cursor, { events, state: (state) => status.show(state), gone: leave }).start();
}

function send(text) {
  outbox.add(room, text);
  const home = `${root}/rooms/${room}`;
  // An older page has no present to show it in; an address that fills in the box would fill it in again.
  if (latest !== "true") return location.assign(home);
  const plain = location.pathname === home || location.pathname.startsWith(`${root}/chat/`);
  if (!plain || location.search) history.replaceState(null, "", home);
  scroll.toEnd();
}

function events(batch) {
  for (const { type, message } of batch) {
    if (type === "resync") startOver();
    else if (message?.room === room) receive(message);
  }
}

function receive(message) {
  const article = show(message);
  if (message.author === username && message.client_id) outbox.settle(message.client_id);
  if (!article || message.author === username) return;
  if (!scroll.atEnd) scroll.offerNews();
  if (!scroll.atEnd || document.hidden) title.add();
}

function show(message) {
  if (message.room !== room) return null;
  part("empty")?.remove();
  const article = scroll.hold(() => timeline.insert(message));
  if (scroll.atEnd && timeline.trim()) earlier.more();
  return article;
}

function showPending(entries) {
  const here = entries.filter((entry) => entry.room === room);
  if (here.length) part("empty")?.remove();
  const last = [...timeline.articles].at(-1);
  const continues = "mine" in (last?.dataset ?? {}) && Date.now() - Date.parse(last.dataset.at) < GROUPED;
  scroll.hold(() => pending.show(here, outbox, continues));
}

async function startOver() {
  const present = await messages.latest(room).catch(() => null);
  if (!present) return location.reload();
  timeline.replace(present);
  earlier.more();
}

function seen() {
  if (!document.hidden && scroll.atEnd) title.clear();
}
