import { send } from "./api.js";

const FIRST = 400;
const LATER = 3000;

/** How far its reader has read a room: told to the server as they see the end, and shown as a line above what is new. */
export class Reading {
  #address;
  #context;
  #base;
  #read;
  #told;
  #mark;
  #missed = 0;
  #timer = null;
  #wait = FIRST;
  #held = false;
  #line = null;

  constructor(context) {
    this.#context = context;
    this.#address = `/api/rooms/${context.room}/read`;
    this.#base = this.#read = this.#told = this.#mark = Number(context.page.read);
    document.addEventListener("visibilitychange", () => document.hidden && this.#tell());
    addEventListener("pagehide", () => this.#tell());
    if (Number(context.page.unread)) this.#begin();
  }

  /** The first message that was new when the page came, once it is on the page. */
  get line() {
    return this.#line;
  }

  get waiting() {
    return this.#line === null && this.#context.timeline.firstId > this.#base;
  }

  /** Draws the line above what is new, if the message before it is here too. */
  place() {
    const { timeline, username } = this.#context;
    if (this.#line || (timeline.firstId > this.#base && !document.querySelector(".earlier[hidden]"))) return;
    const first = [...timeline.articles].find(
      ({ dataset }) => Number(dataset.id) > this.#base && dataset.author !== username,
    );
    if (first) this.#draw(first);
  }

  /** The end is before the reader's eyes. */
  reached() {
    this.#missed = 0;
    if (this.#held || this.#last <= this.#read) return;
    this.#read = this.#last;
    // In a busy room thousands read what is said: they must not all write for each of its messages.
    this.#timer ??= setTimeout(() => this.#tell(), this.#wait * (1 + Math.random()));
    this.#wait = LATER;
  }

  /** A message came that the reader has not seen; returns how many have by now. */
  missed(article) {
    if (this.#missed === 0) this.#draw(article);
    return ++this.#missed;
  }

  /** The mark was moved, here or by another device of this person; returns whether nothing is new any more. */
  moved(id) {
    // What was read here and is not told yet is ahead of marks that others move: only one that goes back is meant so.
    const back = id < this.#mark;
    this.#mark = id;
    if (id === this.#told) return false;
    if (back) {
      this.#hold(id);
    } else {
      this.#told = Math.max(this.#told, id);
      this.#read = Math.max(this.#read, id);
    }
    const level = id >= this.#last;
    if (level) this.#missed = 0;
    return level;
  }

  /** Takes the mark back to before a message, where it stays while this page is open. */
  async unreadFrom(article) {
    const through = Number(article.dataset.id) - 1;
    this.#hold(through);
    this.#draw(article);
    await send("PUT", this.#address, { through, force: true });
  }

  get #last() {
    return Number([...this.#context.timeline.articles].at(-1)?.dataset.id ?? 0);
  }

  #begin() {
    this.place();
    const seen = this.#line?.getBoundingClientRect().top;
    if (seen === undefined || seen < document.getElementById("scroller").getBoundingClientRect().top)
      import("./jump.js").then(
        ({ offerJump }) => offerJump(this, this.#context),
        () => {},
      );
  }

  #hold(id) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#held = true;
    this.#base = this.#read = this.#told = id;
  }

  #draw(article) {
    const { scroll } = this.#context;
    const before = this.#line;
    this.#line = article;
    if (before) scroll.holdFrom(before, () => before.removeAttribute("data-new"));
    scroll.holdFrom(article, () => (article.dataset.new = ""));
  }

  #tell() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#read <= this.#told) return;
    const before = this.#told;
    this.#told = this.#read;
    // It must get through although the page is being left.
    send("PUT", this.#address, { through: this.#read }, { keepalive: true }).catch(() => {
      // As if the end had not been seen yet: it is told the next time.
      this.#read = this.#told = Math.min(this.#told, before);
    });
  }
}
