import { send } from "./api.js";
import { ask } from "./ask.js";
import { copy } from "./clipboard.js";
import { root } from "./root.js";
import { addSheet } from "./sheets.js";

const LONG = 500;
const FAR = 10;
const MINUTE = 60 * 1000;

/**
 * What can be done with a message: one button, in the message under the pointer or the keyboard's hand, and one menu.
 * On the button the arrows go from message to message; a long press on a message opens its menu too.
 */
export function offerActions(context) {
  const { timeline } = context;
  if (!("popover" in HTMLElement.prototype)) return;
  const log = document.getElementById("log");
  addSheet("actions");
  const button = buildButton();
  const menu = buildMenu();
  let article = null;

  const stand = (at) => {
    if (!at || (article === at && button.isConnected)) return;
    article = at;
    const { author } = at.dataset;
    button.ariaLabel = `What to do with the message of ${author}, ${at.querySelector("time").textContent}`;
    const held = document.activeElement === button;
    at.querySelector(".byline").append(button);
    if (held) button.focus({ preventScroll: true });
  };
  const open = () => {
    menu.replaceChildren(...choices(article, context, close));
    menu.showPopover();
    button.ariaExpanded = "true";
    place(menu, button);
    menu.firstElementChild.focus();
  };
  const close = () => {
    menu.hidePopover();
    button.ariaExpanded = "false";
    button.focus({ preventScroll: true });
  };
  const shown = () => menu.matches(":popover-open");
  const last = () => [...timeline.articles].at(-1);

  log.addEventListener("pointerover", ({ target }) => shown() || stand(target.closest(".message")));
  document.getElementById("scroller").addEventListener("focusin", () => button.isConnected || stand(last()));
  button.addEventListener("click", () => (shown() ? close() : open()));
  button.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...timeline.articles];
    stand(all[Math.min(Math.max(all.indexOf(article) + step, 0), all.length - 1)]);
    button.focus();
    article.scrollIntoView({ block: "nearest" });
  });
  menu.addEventListener("keydown", (event) => walk(event, menu, close));
  // The browser's own light dismissal would take the end of a long press for a press elsewhere.
  addEventListener("pointerdown", ({ target }) => shown() && !menu.contains(target) && target !== button && close());
  addEventListener("resize", () => shown() && close());
  pressLong(log, (at) => {
    stand(at);
    open();
  });
  stand(log.querySelector(".message:hover") ?? last());
}

function choices(article, context, close) {
  const { room, username, page, reading, status } = context;
  const { id, author } = article.dataset;
  const mine = author === username;
  const folded = "folded" in article.dataset;
  const tell = (words) => status.tell(words);
  const copied = async (text) => tell((await copy(text)) ? "Copied." : "This browser does not let the page copy.");
  const path = `/api/rooms/${room}/messages/${id}`;
  const found = [];
  const add = (words, act) => {
    const item = document.createElement("button");
    item.type = "button";
    item.role = "menuitem";
    item.textContent = words;
    item.addEventListener("click", () => {
      close();
      Promise.resolve(act()).catch((error) => tell(error.detail ?? "That did not work. Try again."));
    });
    found.push(item);
  };
  if (reading && !mine) add("Mark unread from here", () => reading.unreadFrom(article));
  add("Copy text", () => copied(wordsOf(article)));
  add("Copy link", () => copied(`${location.origin}${root}/rooms/${room}?before=${Number(id) + 1}#message-${id}`));
  if (!mine) {
    add(`Message ${author}`, () => location.assign(`${root}/chat/${encodeURIComponent(author)}`));
    add(`About ${author}`, () => location.assign(`${root}/people/${encodeURIComponent(author)}`));
  }
  if (editable(article, context)) add("Edit", async () => (await import("./editing.js")).edit(article, context));
  if (mine || "deletes" in page) add("Delete…", () => remove(path));
  if (!mine) {
    add("Report…", () => report(path, tell));
    if (folded) add(`Unblock ${author}`, () => send("DELETE", `/api/blocks/${encodeURIComponent(author)}`));
    else add(`Block ${author}…`, () => block(author));
  }
  return found;
}

/** What a message says, without the word that it was edited. */
function wordsOf(article) {
  const body = article.querySelector(".body").cloneNode(true);
  body.querySelector(".edited")?.remove();
  return body.textContent;
}

/** Whether the reader may give a message other words just now, as far as the page knows. */
export function editable({ dataset }, { username, page }) {
  if (dataset.author !== username || !page.edits) return false;
  return page.edits === "always" || Date.now() < Date.parse(dataset.at) + page.edits * MINUTE;
}

async function remove(path) {
  const sure = await ask({
    title: "Delete this message?",
    words: "It goes away for everybody, and nobody can bring it back.",
    yes: "Delete",
  });
  if (sure !== null) await send("DELETE", path);
}

async function report(path, tell) {
  const reason = await ask({
    title: "Report this message",
    words: "The moderators of this chat read what you write here, and who wrote it.",
    reason: "What is wrong with it?",
    yes: "Report",
  });
  if (reason === null) return;
  await send("POST", `${path}/report`, { reason });
  tell("Thank you. The moderators will look at it.");
}

async function block(author) {
  const sure = await ask({
    title: `Block ${author}?`,
    words: "What they say is folded away for you, and neither of you can send the other direct messages.",
    yes: "Block",
  });
  if (sure !== null) await send("PUT", `/api/blocks/${encodeURIComponent(author)}`);
}

function buildButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "act";
  button.textContent = "⋯";
  button.ariaHasPopup = "menu";
  button.ariaExpanded = "false";
  // It wanders through the log, which speaks of what comes into it.
  button.ariaLive = "off";
  return button;
}

function buildMenu() {
  const menu = document.createElement("div");
  menu.className = "actions";
  menu.role = "menu";
  menu.ariaLabel = "Message";
  menu.popover = "manual";
  document.querySelector("main").append(menu);
  return menu;
}

/** Beside the button, within the window; narrow windows have it at their foot. */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  const below = at.bottom + 4;
  const above = Math.max(8, at.top - offsetHeight - 4);
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - offsetWidth - 8))}px`;
  menu.style.top = `${below + offsetHeight + 4 > innerHeight ? above : below}px`;
}

function walk(event, menu, close) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length).focus();
  } else if (event.key === "Tab" || event.key === "Escape") {
    event.preventDefault();
    close();
  }
}

function pressLong(log, act) {
  let timer, from, opened;
  const stop = () => clearTimeout(timer);
  log.addEventListener("pointerdown", (event) => {
    stop();
    const article = event.target.closest(".message");
    if (event.pointerType === "mouse" || !article || event.target.closest("a, button, form")) return;
    from = event;
    timer = setTimeout(() => {
      opened = event.pointerId;
      act(article);
    }, LONG);
  });
  const swallow = (event) => {
    // The press that opened the menu must not choose what came up below the finger.
    if (opened === undefined || event.pointerId !== opened) return;
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", swallow, true);
  addEventListener("pointerdown", () => (opened = undefined), true);
  log.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > FAR) stop();
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) log.addEventListener(name, stop);
  log.addEventListener("contextmenu", (event) => {
    if (event.pointerType === "touch" && !event.target.closest("a")) event.preventDefault();
  });
}
