import { request, send } from "./api.js";
import { addSheet } from "./sheets.js";

const MINUTE = 60 * 1000;

addSheet("editing");

/** Whether the reader may give a message other words just now, as far as the page knows. */
export function editable({ dataset }, { username, page }) {
  if (dataset.author !== username || !page.edits) return false;
  return page.edits === "always" || Date.now() < Date.parse(dataset.at) + page.edits * MINUTE;
}

/** Edits the last message of the reader that may be edited. */
export function editLast(context) {
  const mine = [...context.timeline.articles].reverse().find((article) => editable(article, context));
  if (mine) return edit(mine, context);
  context.status.tell("There is nothing of yours here that can be edited.");
}

/** Opens a message where it stands: Enter saves what is written, Escape leaves it as it was. */
export async function edit(article, { room, timeline, scroll, status }) {
  const open = document.querySelector("form.editing textarea");
  if (open) return open.focus();
  const back = document.activeElement;
  const id = Number(article.dataset.id);
  const form = build();
  const [box, error] = form.children;
  const close = () => {
    scroll.hold(() => form.remove());
    article.removeAttribute("data-editing");
    (back.isConnected ? back : document.getElementById("message"))?.focus({ preventScroll: true });
  };
  const before = await words(room, id).catch(() => null);
  if (before === null) return status.tell("This message cannot be read just now. Try again.");
  if (document.querySelector("form.editing")) return;
  const save = async () => {
    const text = box.value;
    if (text === before) return close();
    form.inert = true;
    try {
      const message = await send("PATCH", `/api/rooms/${room}/messages/${id}`, { text });
      scroll.hold(() => timeline.change(message));
      close();
    } catch (refusal) {
      form.inert = false;
      error.hidden = false;
      error.textContent = refusal.detail ?? "There was no answer. Try again.";
      box.focus();
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  form.querySelector(".quiet").addEventListener("click", close);
  form.addEventListener("keydown", (event) => {
    const { key, isComposing, keyCode, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (isComposing || keyCode === 229) return;
    if (key === "Escape") close();
    else if (key !== "Enter" || event.target !== box || shiftKey || ctrlKey || altKey || metaKey) return;
    else form.requestSubmit();
    event.preventDefault();
  });
  box.value = before;
  article.dataset.editing = "";
  scroll.hold(() => article.append(form));
  box.focus({ preventScroll: true });
  box.setSelectionRange(before.length, before.length);
  form.scrollIntoView({ block: "nearest" });
}

/** What a message says, as it was written. */
async function words(room, id) {
  const { messages } = await request(`/api/rooms/${room}/messages?before=${id + 1}&limit=1`);
  if (messages[0]?.id !== id) throw new Error("gone");
  return messages[0].text;
}

function build() {
  const form = document.createElement("form");
  form.className = "editing";
  form.ariaLabel = "Edit your message";
  // It stands in the log, which speaks of what comes into it.
  form.ariaLive = "off";
  const box = document.createElement("textarea");
  box.dir = "auto";
  box.ariaLabel = "Your message";
  const error = document.createElement("p");
  error.className = "error";
  error.role = "alert";
  error.hidden = true;
  const row = document.createElement("p");
  row.className = "row";
  const hint = document.createElement("span");
  hint.className = "hint";
  hint.textContent = "Enter saves, Esc cancels";
  row.append(hint, button("Cancel", "button", "quiet"), button("Save", "submit", "primary"));
  form.append(box, error, row);
  return form;
}

function button(words, type, look) {
  const made = document.createElement("button");
  made.type = type;
  made.className = look;
  made.textContent = words;
  return made;
}
