/**
 * Reads an event stream (HTML Living Standard, 9.2) from text as it comes, in pieces of any size.
 * Calls `frame({id, data, retry, event})` for every frame that carries one of them. A bare `id:` without data is handed on
 * too: whoever follows decides what it is worth.
 */
export class SseParser {
  #frame;
  #rest = "";
  #current = {};

  constructor(frame) {
    this.#frame = frame;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#current.data = "data" in this.#current ? `${this.#current.data}\n${value}` : value;
    else if (field === "id" || field === "event") this.#current[field] = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.#current.retry = Number(value);
  }

  #dispatch() {
    const frame = this.#current;
    this.#current = {};
    if (Object.keys(frame).length) this.#frame(frame);
  }
}
