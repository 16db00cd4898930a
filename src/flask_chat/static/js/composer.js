import { named } from "./root.js";
import { forget, onChange, read, write } from "./store.js";

/** The text box: Enter sends, Shift+Enter breaks the line, and what stands in it is kept until it is sent. */
export class Composer {
  #form;
  #field;
  #error;
  #key;
  #most;
  #waiting;

  /** `send(text)` is called with what is to be sent. */
  constructor(form, { username, room, most, send }) {
    this.#form = form;
    this.#field = form.elements.message;
    this.#error = form.querySelector("#error");
    this.#key = `${draftsOf(username)}${room}`;
    this.#most = most;
    const typed = this.#field.value !== this.#field.defaultValue;
    this.#restore();
    // The browser's own limit would cut a long paste short without a word.
    this.#field.removeAttribute("maxlength");
    this.#field.required = false;
    if (typed) this.#typed();
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    onChange((key, before, now) => {
      if (key === this.#key && this.#field.value === (before ?? "")) this.#set(now ?? "");
    });
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) this.focus();
    else this.#keepKeyboardDown();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  /** Puts a text back, before whatever is being written now. */
  giveBack(text) {
    this.#set([text, this.#field.value].filter(Boolean).join("\n\n"));
    this.#typed();
    this.focus();
  }

  /** A draft kept from before waits behind a text that the server has filled in: neither may be lost. */
  #restore() {
    const kept = read(this.#key) ?? "";
    this.#waiting = this.#field.value && kept !== this.#field.value ? kept : "";
    this.#set(this.#field.value || kept);
  }

  /** The page asks for the focus by itself, for browsers without scripts; on a phone that may bring up the keyboard. */
  #keepKeyboardDown() {
    const refuse = () => this.#field.blur();
    // Whoever has touched the box before the script came wants to write.
    if (!navigator.userActivation?.isActive) refuse();
    // The browser gives the focus when it draws for the first time, which may be yet to come.
    this.#field.addEventListener("focus", refuse);
    requestAnimationFrame(() => requestAnimationFrame(() => this.#field.removeEventListener("focus", refuse)));
  }

  #pressed(event) {
    // While a word is being composed (Japanese, Chinese, Korean…) Enter chooses it; 229 is how Safari says so.
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(send) {
    const text = this.#field.value;
    if (!this.#fits() || !text.trim()) return this.#field.focus();
    send(text);
    this.#form.querySelector("#notice")?.remove();
    this.#set(this.#waiting);
    this.#waiting = "";
    this.#typed();
    this.#field.focus();
  }

  #typed() {
    const text = [this.#field.value, this.#waiting].filter(Boolean).join("\n\n");
    if (text) write(this.#key, text);
    else forget(this.#key);
    this.#fits();
    this.#grow();
  }

  #fits() {
    // Counted as the server counts: in code points. No text has more of them than it has code units.
    const length = this.#field.value.length > this.#most ? [...this.#field.value].length : 0;
    const fits = length <= this.#most;
    this.#field.toggleAttribute("aria-invalid", !fits);
    if (!fits) this.#say(`That is ${number(length)} characters. A message has room for ${number(this.#most)}.`);
    else this.#say("");
    return fits;
  }

  #say(text) {
    this.#error.textContent = text;
    this.#error.hidden = !text;
  }

  #set(text) {
    this.#field.value = text;
    this.#grow();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.rows = 1;
    const line = parseFloat(getComputedStyle(this.#field).lineHeight);
    this.#field.rows = Math.max(1, Math.min(12, Math.floor((this.#field.scrollHeight - 16) / line)));
  }
}

/** Where the drafts of a person begin among what the browser keeps. */
export function draftsOf(username) {
  return named(`draft:${username}:`);
}

function number(value) {
  return value.toLocaleString("en");
}
