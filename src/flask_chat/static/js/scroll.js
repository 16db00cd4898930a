const NEAR = 60;

/** Where the reader is: at the end, where new messages are seen as they come, or further up, where nothing moves. */
export class Scroll {
  #scroller;
  #pill;
  #holding = false;

  /** `arrived()` is called whenever the reader comes to the end. */
  constructor(scroller, arrived) {
    this.#scroller = scroller;
    this.#pill = button();
    scroller.after(this.#pill);
    scroller.addEventListener("scroll", () => {
      if (!this.atEnd) return;
      this.#pill.hidden = true;
      arrived();
    });
    this.#pill.addEventListener("click", () => {
      this.toEnd();
      scroller.focus({ preventScroll: true });
    });
  }

  /** The scroller is turned over (column-reverse): its end is at 0, and upward is negative. */
  get atEnd() {
    return this.#scroller.scrollTop > -NEAR;
  }

  /** Makes a change below the reader's eyes without moving what they read; at the end, the end stays in view. */
  hold(change) {
    if (this.#holding || this.atEnd) return change();
    const height = this.#scroller.scrollHeight;
    this.#holding = true;
    try {
      return change();
    } finally {
      this.#holding = false;
      this.#scroller.scrollTop -= this.#scroller.scrollHeight - height;
    }
  }

  /** Makes a change to an article without moving what is read: one above the window moves nothing by itself. */
  holdFor(article, change) {
    return this.#above(article?.getBoundingClientRect().bottom) ? change() : this.hold(change);
  }

  /** The same for what comes or goes where an article begins, or with the whole of it. */
  holdFrom(article, change) {
    return this.#above(article?.getBoundingClientRect().top) ? change() : this.hold(change);
  }

  /** Offers the way to so many messages below. */
  offerNews(count) {
    this.#pill.textContent = count > 1 ? `${count} new messages ↓` : "New message ↓";
    this.#pill.hidden = false;
  }

  #above(place) {
    return place < this.#scroller.getBoundingClientRect().top;
  }

  toEnd() {
    this.#scroller.scrollTop = 0;
    this.#pill.hidden = true;
  }
}

function button() {
  const pill = document.createElement("button");
  pill.type = "button";
  pill.className = "pill";
  pill.hidden = true;
  return pill;
}
