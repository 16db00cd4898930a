const WORDS = {
  connecting: "Reconnecting…",
  offline: "Offline: what you write is kept and sent later.",
};
const HINT = "Enter sends, Shift+Enter breaks the line.";
const PATIENCE = 1500;

/** One calm line about the connection; a hiccup of a second or two is nobody's business. */
export class Status {
  #element;
  #hint;
  #timer;

  /** `writing` says whether there is a box to write in. */
  constructor(element, writing) {
    this.#element = element;
    this.#hint = writing ? HINT : "";
    this.#rest();
  }

  show(state) {
    clearTimeout(this.#timer);
    if (state in WORDS) this.#timer = setTimeout(() => this.#say(state), state === "offline" ? 0 : PATIENCE);
    else if (this.#element.dataset.state) this.#rest();
  }

  #say(state) {
    this.#element.dataset.state = state;
    this.#element.textContent = WORDS[state];
  }

  /** Tells of something that was asked for and refused, until the reader goes on. */
  tell(words) {
    clearTimeout(this.#timer);
    this.#element.dataset.state = "told";
    this.#element.textContent = words;
    this.#timer = setTimeout(() => this.#rest(), 8000);
  }

  #rest() {
    delete this.#element.dataset.state;
    this.#element.textContent = this.#hint;
  }
}
