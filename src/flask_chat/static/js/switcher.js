import { request } from "./api.js";
import { root } from "./root.js";
import { addSheet } from "./sheets.js";
import { entries } from "./sidebar.js";

const MOST = 12;
const PAUSE = 150;

let dialog = null;
let input, list, said, timer, picked;

/** Opens the box in which a few letters, some of them typed already, find a room or a person; a second press closes it. */
export function openSwitcher(typed) {
  dialog ??= build();
  if (dialog.open) return dialog.close();
  input.value = typed;
  search();
  dialog.showModal();
  return undefined;
}

/** A combobox with a listbox (ARIA Authoring Practices): the focus stays in the box, the arrows choose. */
function build() {
  addSheet("switcher");
  const made = document.createElement("dialog");
  made.className = "switcher";
  made.ariaLabel = "Find a room or person";
  input = document.createElement("input");
  input.type = "text";
  input.placeholder = "Find a room or person";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.enterKeyHint = "go";
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-label": "Find a room or person",
    "aria-expanded": "true",
    "aria-controls": "found",
    "aria-autocomplete": "list",
  }))
    input.setAttribute(name, value);
  list = document.createElement("ul");
  list.id = "found";
  list.role = "listbox";
  list.ariaLabel = "Rooms and people";
  said = document.createElement("p");
  said.className = "unseen";
  said.role = "status";
  made.append(input, list, said);
  input.addEventListener("input", search);
  input.addEventListener("keydown", pressed);
  made.addEventListener("click", ({ target }) => target === made && made.close());
  document.body.append(made);
  return made;
}

function search() {
  // What was chosen among other letters' finds is not what these letters mean.
  picked = null;
  find();
}

function find() {
  const asked = fold(input.value.trim());
  clearTimeout(timer);
  const mine = entries()
    .map((entry) => {
      const { href, dataset } = entry;
      const label = entry.querySelector("bdi").textContent;
      const kind = dataset.person ? "person" : dataset.kind;
      return { href, label, kind, unread: dataset.unread, rank: fit(fold(label), asked) };
    })
    .filter(({ rank }) => rank >= 0)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, MOST);
  fill(mine, input.value.trim());
  if (asked) timer = setTimeout(() => people(mine, input.value.trim()), PAUSE);
}

/** Whom the reader does not talk with yet comes after what they have. */
async function people(mine, asked) {
  const found = await request(`/api/people?${new URLSearchParams({ q: asked })}`).catch(() => null);
  if (!found?.people || input.value.trim() !== asked) return;
  const known = new Set(mine.filter(({ kind }) => kind === "person").map(({ label }) => label));
  const others = found.people
    .filter(({ username }) => !known.has(username) && username !== document.body.dataset.username)
    .map(({ username }) => ({ href: `${root}/chat/${encodeURIComponent(username)}`, label: username, kind: "person" }));
  fill([...mine, ...others].slice(0, MOST), asked);
}

function fill(found, asked) {
  const all = `${root}/rooms?${new URLSearchParams({ q: asked })}`;
  const more = asked ? [{ href: all, label: `Look for “${asked}” among all rooms`, kind: "more" }] : [];
  const options = [...found, ...more].map(option);
  list.replaceChildren(...options);
  choose(options.find(({ dataset }) => dataset.href === picked) ?? options[0]);
  said.textContent = found.length === 1 ? "One found" : `${found.length} found`;
}

function option({ href, label, kind, unread }, at) {
  const item = document.createElement("li");
  item.id = `found-${at}`;
  item.role = "option";
  item.dataset.href = href;
  item.dataset.kind = kind;
  item.textContent = label;
  if (Number(unread)) {
    const badge = document.createElement("b");
    badge.className = "count";
    badge.textContent = `${unread} unread`;
    item.append(badge);
  }
  item.addEventListener("pointermove", () => pick(item));
  item.addEventListener("click", () => location.assign(href));
  return item;
}

function pressed(event) {
  const options = [...list.children];
  const at = options.findIndex((item) => item.ariaSelected === "true");
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (to !== undefined && options.length) {
    event.preventDefault();
    pick(options.at(to % options.length));
  } else if (event.key === "Enter" && !event.isComposing && options[at]) {
    event.preventDefault();
    location.assign(options[at].dataset.href);
  }
}

/** What the reader has chosen stays chosen when more is found; what stood first by itself gives way. */
function pick(item) {
  picked = item.dataset.href;
  choose(item);
}

function choose(item) {
  for (const other of list.children) other.ariaSelected = String(other === item);
  if (item) input.setAttribute("aria-activedescendant", item.id);
  else input.removeAttribute("aria-activedescendant");
  item?.scrollIntoView({ block: "nearest" });
}

/** How well a name fits what was typed: 0 if it begins so, 1 if one of its words does, 2 if it is in it, else -1. */
function fit(name, asked) {
  if (name.startsWith(asked)) return 0;
  if (name.includes(` ${asked}`) || name.includes(`-${asked}`)) return 1;
  return name.includes(asked) ? 2 : -1;
}

/** Without case and accents. */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
