import { events as poll } from "./api.js";
import { Election } from "./election.js";
import { named } from "./root.js";
import { polling, Stream } from "./stream.js";

const AWAY = 10000;

/**
 * What every tab reads: one tab of the browser leads and holds the stream, and passes each batch on to the others.
 * A tab that finds a gap before a batch (it is new, or it slept) catches up by its own cursor. Batches may reach
 * `hear.events` twice and out of order; whoever shows them goes by their ids.
 *
 * `hear` is an object of callbacks: events([event]), signal(event, data), state("live" | "connecting" | "offline"),
 * gone().
 */
export class Feed {
  #cursor;
  #hear;
  #channel = null;
  #election;
  #stream = null;
  #state = "";
  #catching = null;
  #behind = false;
  #hiddenAt = 0;

  constructor(username, cursor, hear) {
    this.#cursor = cursor;
    this.#hear = hear;
    const name = named(`feed:${username}`);
    if ("BroadcastChannel" in globalThis) this.#channel = new BroadcastChannel(name);
    this.#election = new Election(name, { elected: () => this.#lead(), deposed: () => this.#stop() });
  }

  start() {
    if (!this.#channel) return this.#lead();
    this.#channel.onmessage = ({ data }) => this.#overheard(data);
    this.#election.start();
    this.#channel.postMessage({ hello: true });
    this.#catchUp();
    document.addEventListener("visibilitychange", () => this.#look());
  }

  #lead() {
    const stream = new Stream(this.#cursor, {
      batch: (batch) => {
        this.#cursor = batch.cursor;
        this.#hear.events(batch.events);
        this.#tell({ batch });
      },
      signal: (...signal) => {
        this.#hear.signal(...signal);
        this.#tell({ signal });
      },
      state: (state) => {
        if (this.#stream !== stream || state === this.#state) return;
        this.#show(state);
        this.#tell({ state });
      },
      alive: () => {
        this.#election.alive();
        this.#tell({ state: this.#state, polls: polling.remembered() });
      },
      gone: () => {
        this.#tell({ gone: true });
        this.#hear.gone();
      },
    });
    this.#stream = stream;
    stream.start();
  }

  #stop() {
    this.#stream?.stop();
    this.#stream = null;
  }

  #overheard({ batch, signal, state, polls, hello, gone }) {
    if (gone) return this.#hear.gone();
    if (hello) return this.#election.leading && this.#tell({ state: this.#state });
    if (this.#election.leading) return;
    this.#election.alive();
    if (polls) polling.remember();
    if (state) this.#show(state);
    if (signal) this.#hear.signal(...signal);
    if (batch) this.#take(batch);
    if (this.#behind) this.#catchUp();
  }

  #take({ before, cursor, events }) {
    this.#hear.events(events);
    if (before === this.#cursor || events.some(({ type }) => type === "resync")) this.#cursor = cursor;
    else this.#behind ||= cursor !== this.#cursor;
  }

  /** Reads what is missing, unless it is being read already. A failure leaves us behind until the leader speaks again. */
  #catchUp() {
    this.#behind = false;
    this.#catching ??= this.#read()
      .catch((error) => {
        if (error.status === 401) this.#hear.gone();
        this.#behind = true;
      })
      .finally(() => {
        this.#catching = null;
      });
  }

  async #read() {
    for (;;) {
      const { events, cursor } = await poll(this.#cursor, 0);
      this.#cursor = cursor;
      if (!events.length) return;
      this.#hear.events(events);
    }
  }

  #look() {
    if (document.visibilityState === "hidden") this.#hiddenAt = Date.now();
    else if (!this.#election.leading && Date.now() - this.#hiddenAt > AWAY) this.#catchUp();
  }

  #show(state) {
    this.#state = state;
    this.#hear.state(state);
  }

  #tell(note) {
    this.#channel?.postMessage(note);
  }
}
