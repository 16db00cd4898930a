import { send } from "./api.js";

const EVERY = 3000;
const SHOWN = 5000;

/** Who is writing just now. Nothing of it is kept anywhere. */
export class Typing {
  #element;
  #address;
  #told = -Infinity;
  #people = new Map();

  constructor(element, room) {
    this.#element = element;
    this.#address = `/api/rooms/${room}/typing`;
  }

  /** The reader writes: the others are told, every three seconds at most. */
  typed() {
    if (performance.now() - this.#told < EVERY) return;
    this.#told = performance.now();
    send("POST", this.#address).catch(() => {});
  }

  heard(username) {
    clearTimeout(this.#people.get(username));
    this.#people.set(
      username,
      setTimeout(() => this.said(username), SHOWN),
    );
    this.#show();
  }

  /** Somebody has sent what they were writing, or has stopped. */
  said(username) {
    clearTimeout(this.#people.get(username));
    if (this.#people.delete(username)) this.#show();
  }

  #show() {
    const [one, other, ...more] = [...this.#people.keys()];
    this.#element.textContent = more.length
      ? "Several people are typing…"
      : other
        ? `${one} and ${other} are typing…`
        : one
          ? `${one} is typing…`
          : "";
    document.body.toggleAttribute("data-typing", Boolean(one));
  }
}
