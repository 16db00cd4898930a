import { localise, separate } from "./clock.js";

const MOST = 600;
const KEPT = 400;

/** The messages on the page, in the order of their ids, each once. */
export class Timeline {
  #log;
  #username;

  /** Called with each article that comes. */
  dressing = () => {};

  /** Called with each article before it goes. */
  parting = () => {};

  constructor(log, username) {
    this.#log = log;
    this.#username = username;
    this.#dressAll();
  }

  get firstId() {
    return this.articles[0]?.dataset.id;
  }

  get articles() {
    return this.#log.getElementsByClassName("message");
  }

  /** Takes away every message up to an id. */
  clear(through) {
    for (const article of [...this.articles]) if (Number(article.dataset.id) <= through) this.remove(article.dataset.id);
  }

  /** Takes a message away; what followed under the same name stands for itself. */
  remove(id) {
    const article = document.getElementById(`message-${id}`);
    const after = article?.nextElementSibling;
    if (!article) return;
    this.parting(article);
    if (!("continues" in article.dataset)) after?.removeAttribute("data-continues");
    article.remove();
    if (after?.matches(".message")) separate(after);
    else if (this.#log.lastElementChild?.matches(".day")) this.#log.lastElementChild.remove();
  }

  /** Shows a message of the API where it belongs; returns its article, or null if it is there already. */
  insert(message) {
    if (document.getElementById(`message-${message.id}`)) {
      this.change(message);
      return null;
    }
    const article = parse(message.html);
    if (!article) return null;
    this.#dress(article);
    const before = this.#before(Number(article.dataset.id));
    if (before) before.after(article);
    else this.#log.prepend(article);
    this.#separateAround(article);
    return article;
  }

  /** Gives a message that is shown its other words, unannounced; its place, and all that was done with it, stay. */
  change(message) {
    const there = document.getElementById(`message-${message.id}`);
    const body = there && parse(message.html)?.querySelector(".body");
    const before = there?.querySelector(".body");
    // What was asked for and what is told may overtake each other.
    if (!body || body.outerHTML === before.outerHTML || (before.dataset.edited ?? "") > (body.dataset.edited ?? "")) return;
    this.#quietly(() => {
      before.replaceWith(body);
      this.#mark(there);
    });
  }

  /** Puts older messages above, unannounced: they are news to nobody. */
  prepend(messages) {
    this.#quietly(() => {
      for (const message of [...messages].reverse()) this.insert(message);
    });
  }

  /** Forgets what is shown and shows these messages instead. */
  replace(messages) {
    // What the reader is writing goes on where it stood.
    const editor = this.#log.querySelector("form.editing");
    const id = editor?.closest(".message").id;
    const held = editor?.contains(document.activeElement) && document.activeElement;
    editor?.remove();
    this.#log.replaceChildren();
    this.prepend(messages);
    const article = id && document.getElementById(id);
    if (!article) return editor && this.parting(editor);
    article.dataset.editing = "";
    article.append(editor);
    if (held) held.focus({ preventScroll: true });
  }

  /** Lets go of the oldest when a page that is never closed grows long; true if it did. */
  trim() {
    if (this.articles.length <= MOST) return false;
    while (this.articles.length > KEPT && !("editing" in this.articles[0].dataset)) this.articles[0].remove();
    while (this.#log.firstElementChild !== this.articles[0]) this.#log.firstElementChild.remove();
    separate(this.articles[0]);
    return true;
  }

  #before(id) {
    for (let index = this.articles.length - 1; index >= 0; index--) {
      if (Number(this.articles[index].dataset.id) < id) return this.articles[index];
    }
    return null;
  }

  #separateAround(article) {
    separate(article);
    let after = article.nextElementSibling;
    while (after?.matches(".day")) after = after.nextElementSibling;
    if (after) separate(after);
  }

  #dressAll() {
    this.#log.querySelectorAll(".day").forEach((heading) => heading.remove());
    for (const article of [...this.articles]) {
      this.#dress(article);
      separate(article);
    }
  }

  #dress(article) {
    article.toggleAttribute("data-mine", article.dataset.author === this.#username);
    this.#mark(article);
    this.dressing(article);
  }

  #mark(article) {
    localise(article);
    for (const mention of article.querySelectorAll(".mention"))
      mention.toggleAttribute("data-me", mention.dataset.name === this.#username);
  }

  /** What it does is news to nobody who listens. */
  #quietly(act) {
    this.#log.setAttribute("aria-live", "off");
    act();
    requestAnimationFrame(() => {
      this.#log.setAttribute("aria-live", "polite");
    });
  }
}

/** Whether the HTML of a message names somebody. */
export function mentions(html, username) {
  if (!html.includes('class="mention"')) return false;
  return [...parse(html).querySelectorAll(".mention")].some(({ dataset }) => dataset.name === username);
}

/** The one place where HTML becomes elements, and only HTML that the server has made from its own template. */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("article.message");
}
