/** The number of unread messages, in the title of the tab. */
export class Title {
  #plain = document.title;
  #unread = 0;

  add() {
    this.#unread++;
    this.#show();
  }

  clear() {
    this.#unread = 0;
    this.#show();
  }

  #show() {
    document.title = this.#unread ? `(${this.#unread}) ${this.#plain}` : this.#plain;
  }
}
