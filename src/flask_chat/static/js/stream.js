import { accepted, events as poll } from "./api.js";
import { Backoff } from "./backoff.js";
import { named, root } from "./root.js";
import { SseParser } from "./sse.js";

const FIRST_BYTES = 5000;
const SILENCE = 45000;
const STALE = 30000;
const POLL_SECONDS = 25;
const POLLING = named("polling");

/**
 * The log as it grows, from a cursor on: a streamed answer, or long polls where a proxy holds streams back.
 *
 * `hear` is an object of callbacks:
 *   batch({before, cursor, events})  events, and the cursors before and after them
 *   state("live" | "connecting" | "offline")
 *   signal(event, data)              something of the moment, which no cursor comes back to
 *   alive()                          the server was heard, an event or not
 *   gone()                           nobody is signed in here any more
 */
export class Stream {
  #hear;
  #cursor;
  #backoff = new Backoff();
  #controller = new AbortController();
  #stopped = false;
  #heardAt = 0;
  #retry = 0;

  constructor(cursor, hear) {
    this.#cursor = cursor;
    this.#hear = hear;
  }

  async start() {
    const undo = this.#watchSurroundings();
    try {
      while (!this.#stopped) await this.#attempt();
    } finally {
      undo();
    }
  }

  stop() {
    this.#stopped = true;
    this.#controller.abort();
    this.#backoff.hurry();
  }

  async #attempt() {
    this.#controller = new AbortController();
    this.#retry = 0;
    try {
      await (polling.remembered() ? this.#poll() : this.#follow());
      // The server took its leave and said when to come back.
      if (!this.#stopped && this.#retry) await this.#backoff.wait(this.#retry);
    } catch (error) {
      // Our own abort asks for a fresh connection at once; all else is a failure.
      if (!this.#controller.signal.aborted) await this.#failed(error);
    }
  }

  /** One streamed answer, to its end. */
  async #follow() {
    const { signal } = this.#controller;
    const impatient = setTimeout(() => this.#heldBack(), FIRST_BYTES);
    let watchdog;
    try {
      const response = await fetch(`${root}/api/events?after=${encodeURIComponent(this.#cursor)}`, {
        headers: { Accept: "text/event-stream" },
        cache: "no-store",
        signal,
      });
      await accepted(response);
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return polling.remember();
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new SseParser((frame) => this.#frame(frame));
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => this.#controller.abort(), SILENCE);
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(impatient);
        this.#heard();
        parser.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(impatient);
      clearTimeout(watchdog);
    }
  }

  async #poll() {
    for (;;) {
      const asked = performance.now();
      const { events, cursor } = await poll(this.#cursor, POLL_SECONDS, this.#controller.signal);
      this.#heard();
      this.#advance(events, cursor);
      // Empty and early is a server that is going down: do not spin.
      if (!events.length && performance.now() - asked < 1000) await this.#backoff.wait();
      if (this.#stopped) return;
    }
  }

  /** No bytes for five seconds: where a plain poll is answered meanwhile, something on the way holds streams back. */
  async #heldBack() {
    const controller = this.#controller;
    try {
      await poll(null, 0, controller.signal);
    } catch {
      return;
    }
    polling.remember();
    controller.abort();
  }

  #frame({ id, data, retry, event }) {
    if (retry !== undefined) this.#retry = retry;
    // The bare id that greets a connection may lie ahead of events still to come: only events move the cursor.
    if (data === undefined) return;
    if (event) this.#hear.signal(event, JSON.parse(data));
    else if (id !== undefined) this.#advance([JSON.parse(data)], id);
  }

  #advance(events, cursor) {
    const before = this.#cursor;
    this.#cursor = cursor;
    if (events.length || cursor !== before) this.#hear.batch({ before, cursor, events });
  }

  #heard() {
    this.#heardAt = Date.now();
    this.#backoff.reset();
    this.#hear.state("live");
    this.#hear.alive();
  }

  async #failed(error) {
    if (error.status === 401) {
      this.stop();
      return this.#hear.gone();
    }
    this.#hear.state(navigator.onLine ? "connecting" : "offline");
    if (error.status === 400) await this.#beginAgain();
    await this.#backoff.wait(error.retryAfter ? error.retryAfter * (1 + Math.random() / 4) : undefined);
  }

  /** Our cursor means nothing to this server: what we show may not either. */
  async #beginAgain() {
    const present = await poll(null, 0).catch(() => null);
    if (present) this.#advance([{ type: "resync", room: null }], present.cursor);
  }

  #watchSurroundings() {
    const renew = () => this.#controller.abort();
    const look = () => {
      if (document.visibilityState === "visible" && Date.now() - this.#heardAt > STALE) renew();
    };
    addEventListener("online", renew);
    addEventListener("offline", renew);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("online", renew);
      removeEventListener("offline", renew);
      document.removeEventListener("visibilitychange", look);
    };
  }
}

/** That streams are held back here is remembered for the browser's session, tab by tab. */
export const polling = {
  remembered() {
    if (!("body" in Response.prototype)) return true;
    try {
      return sessionStorage.getItem(POLLING) !== null;
    } catch {
      return false;
    }
  },
  remember() {
    try {
      sessionStorage.setItem(POLLING, "yes");
    } catch {
      // It is found out again next time.
    }
  },
};
