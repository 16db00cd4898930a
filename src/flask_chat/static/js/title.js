/** The number of messages that wait for the reader, here and in other rooms, in the title of the tab. */
export class Title {
  #plain = document.title;
  #here = 0;
  #elsewhere = 0;

  add() {
    this.#here++;
    this.#show();
  }

  clear() {
    this.#here = 0;
    this.#show();
  }

  set elsewhere(count) {
    this.#elsewhere = count;
    this.#show();
  }

  #show() {
    const waiting = this.#here + this.#elsewhere;
    document.title = waiting ? `(${waiting}) ${this.#plain}` : this.#plain;
  }
}
