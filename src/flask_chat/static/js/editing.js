import { editable } from "./actions.js";
import { request, send } from "./api.js";
import { addSheet } from "./sheets.js";

addSheet("editing");

/** Edits the last message of the reader that may be edited. */
export function editLast(context) {
  // What was said last is not there yet: the one before it is not meant.
  if (document.querySelector("#outbox .message")) return context.status.tell("Your last message is still on its way.");
  const mine = [...context.timeline.articles].reverse().find((article) => editable(article, context));
  if (mine) return edit(mine, context);
  context.status.tell("There is nothing of yours here that can be edited.");
}

/** Opens a message where it stands: Enter saves what is written, Escape leaves it as it was. */
export async function edit(article, context) {
  const { room, timeline, scroll, status, giveBack } = context;
  const composed = document.getElementById("message");
  const back = document.activeElement;
  const typed = composed?.value;
  const id = Number(article.dataset.id);
  const before = await words(room, id).catch(() => null);
  if (before === null) return status.tell("This message cannot be read just now. Try again.");
  // Whoever went on with something else meanwhile is not torn away from it.
  if (document.activeElement !== back || composed?.value !== typed || !article.isConnected) return;
  const open = document.querySelector("form.editing");
  if (open) {
    open.querySelector("textarea").focus();
    return status.tell("You are editing another message: save it or cancel first.");
  }
  const form = build();
  const [box, error] = form.children;
  const end = () => {
    timeline.parting = () => {};
    const holder = form.closest(".message");
    scroll.holdFor(holder, () => {
      form.remove();
      holder?.removeAttribute("data-editing");
    });
  };
  const close = () => {
    end();
    (back.isConnected ? back : composed)?.focus({ preventScroll: true });
  };
  const save = async () => {
    const text = box.value;
    if (text === before) return close();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    box.readOnly = true;
    try {
      const message = await send("PATCH", `/api/rooms/${room}/messages/${id}`, { text });
      if (!form.isConnected) return;
      close();
      scroll.holdFor(document.getElementById(`message-${id}`), () => timeline.change(message));
    } catch (refusal) {
      error.hidden = false;
      error.textContent = refusal.detail ?? "There was no answer. Try again.";
      box.ariaInvalid = "true";
    } finally {
      form.ariaBusy = "false";
      box.readOnly = false;
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
  box.addEventListener("input", () => grow(box));
  timeline.parting = (gone) => {
    if (gone !== form && !gone.contains(form)) return;
    const text = box.value;
    end();
    giveBack(text);
    status.tell("That message was deleted. What you wrote is in the box.");
  };
  box.value = before;
  scroll.holdFor(article, () => {
    article.dataset.editing = "";
    article.append(form);
    grow(box);
  });
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

/** As many lines as the text has, where the browser does not see to it by itself. */
function grow(box) {
  if (CSS.supports("field-sizing", "content")) return;
  box.rows = 1;
  const line = parseFloat(getComputedStyle(box).lineHeight);
  box.rows = Math.max(1, Math.min(12, Math.floor((box.scrollHeight - 12) / line)));
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
  box.enterKeyHint = "done";
  box.setAttribute("aria-describedby", "editing-error editing-keys");
  const error = document.createElement("p");
  error.className = "error";
  error.id = "editing-error";
  error.role = "alert";
  error.hidden = true;
  const row = document.createElement("p");
  row.className = "row";
  const hint = document.createElement("span");
  hint.className = "hint";
  hint.id = "editing-keys";
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
