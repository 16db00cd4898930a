/** The bubbles of what is on its way. All of their text is set as text: nothing here becomes HTML. */
export class Pending {
  #box;
  #outbox;
  #edit;

  /** `edit(text)` puts a refused text back into the hands of its writer. */
  constructor(box, edit) {
    this.#box = box;
    this.#edit = edit;
  }

  show(entries, outbox, continues) {
    this.#outbox = outbox;
    const known = new Map([...this.#box.children].map((bubble) => [bubble.dataset.clientId, bubble]));
    const bubbles = entries.map((entry, index) => {
      const bubble = known.get(entry.clientId) ?? build(entry);
      bubble.toggleAttribute("data-continues", index > 0 || continues);
      this.#update(bubble, entry);
      return bubble;
    });
    if (bubbles.length !== this.#box.children.length || bubbles.some((bubble, at) => bubble !== this.#box.children[at]))
      this.#box.replaceChildren(...bubbles);
  }

  #update(bubble, entry) {
    const state = entry.refused ? "refused" : this.#outbox.held ? "waiting" : "sending";
    const said = entry.refused ?? `Not sent yet. ${this.#outbox.held}`;
    const [byline, , fate] = bubble.children;
    if (bubble.dataset.state === state && (state === "sending" || fate.firstChild.textContent === said)) return;
    bubble.dataset.state = state;
    byline.textContent = state === "sending" ? "Sending…" : "";
    fate.hidden = state === "sending";
    const words = document.createElement("span");
    words.textContent = said;
    const remove = button("Remove", () => this.#outbox.remove(entry.clientId));
    const again = entry.refused
      ? button("Edit", () => {
          this.#outbox.remove(entry.clientId);
          this.#edit(entry.text);
        })
      : button("Try now", () => this.#outbox.retry());
    fate.replaceChildren(words, again, remove);
  }
}

function build({ clientId, text }) {
  const bubble = document.createElement("article");
  bubble.className = "message";
  bubble.dataset.clientId = clientId;
  bubble.dataset.mine = "";
  const body = part("body", text);
  body.dir = "auto";
  const fate = part("fate", "");
  fate.setAttribute("role", "status");
  bubble.append(part("byline", ""), body, fate);
  return bubble;
}

function part(name, text) {
  const element = document.createElement("div");
  element.className = name;
  element.textContent = text;
  return element;
}

function button(text, action) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "quiet";
  element.textContent = text;
  element.addEventListener("click", action);
  return element;
}
