const WORDS = {
  connecting: "Reconnecting…",
  offline: "Offline: what you write is kept and sent later.",
};
const HINT = "Enter sends, Shift+Enter breaks the line.";
const PATIENCE = 1500;

/** One calm line about the connection; a hiccup of a second or two is nobody's business. */
export class Status {
  #element;
  #timer;

  constructor(element) {
    this.#element = element;
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

  #rest() {
    delete this.#element.dataset.state;
    this.#element.textContent = HINT;
  }
}
