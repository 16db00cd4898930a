import { messages } from "./api.js";
import { Backoff } from "./backoff.js";
import { exclusive } from "./exclusive.js";
import { newId } from "./ids.js";
import { named } from "./root.js";
import { forget, keys, onChange, read, write } from "./store.js";

/** Answers that will be the same next time: the person has to decide. All others are tried again. */
const FINAL = new Set([400, 403, 404, 405, 409, 413, 415, 422]);

/**
 * What has been written and not yet acknowledged. Every entry is kept before it is sent, under its client_id, so that
 * it survives a reload and is stored once however often it goes out; one entry goes at a time, in the order written.
 * The box belongs to one username: another person on this browser neither sees nor sends it.
 *
 * `hear` is an object of callbacks: changed([entry]), sent(message), gone(). An entry is
 * {clientId, room, text, at, seq, refused}; `refused` is the server's reason, if it gave a final one.
 */
export class Outbox {
  #username;
  #prefix;
  #hear;
  #backoff = new Backoff();
  #pumping = false;
  #held = null;

  constructor(username, hear) {
    this.#username = username;
    this.#prefix = outboxOf(username);
    this.#hear = hear;
    onChange((key) => {
      if (key === null || key.startsWith(this.#prefix)) this.#changed();
    });
  }

  start() {
    this.#changed();
    this.#pump();
  }

  get entries() {
    return keys(this.#prefix)
      .map((key) => parse(read(key)))
      .filter(Boolean)
      .sort((one, other) => one.seq - other.seq || one.at - other.at);
  }

  /** Why the next attempt is waited for, in words, if the last one failed; else null. */
  get held() {
    return this.#held;
  }

  add(room, text) {
    const seq = (this.entries.at(-1)?.seq ?? 0) + 1;
    this.#keep({ clientId: newId(), room, text, at: Date.now(), seq, refused: null });
    this.#changed();
    this.#pump();
  }

  remove(clientId) {
    forget(this.#prefix + clientId);
    this.#changed();
  }

  /** The server has it, whichever way we learned of it. */
  settle(clientId) {
    if (read(this.#prefix + clientId) !== null) this.remove(clientId);
  }

  /** Tries again now. */
  retry() {
    this.#backoff.hurry();
    this.#pump();
  }

  clear() {
    for (const key of keys(this.#prefix)) forget(key);
    this.#changed();
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#next()) {
        const pause = await exclusive(named(`send:${this.#username}`), () => this.#sendNext());
        if (pause === null) return;
        if (pause) await this.#backoff.wait(pause.milliseconds);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #next() {
    return this.entries.find((entry) => !entry.refused);
  }

  /** Sends the oldest; resolves to nothing when it went, to {milliseconds} to wait before the next try, to null to stop. */
  async #sendNext() {
    const entry = this.#next();
    if (!entry) return undefined;
    // The cookie is the browser's, not the tab's: after another person has signed in, our words would go out as theirs.
    if (read(named("who")) !== this.#username) return this.#leave();
    try {
      const message = await messages.post(entry.room, entry.text, entry.clientId);
      this.#held = null;
      this.#backoff.reset();
      this.#hear.sent(message);
      this.settle(entry.clientId);
    } catch (error) {
      if (error.status === 401) return this.#leave();
      if (FINAL.has(error.status)) return this.#refuse(entry, error.detail);
      this.#held = error.status === 429 ? error.detail : "Trying again…";
      this.#changed();
      return { milliseconds: error.retryAfter ?? undefined };
    }
  }

  #refuse(entry, detail) {
    // It may have been settled or removed while its answer was on the way.
    if (read(this.#prefix + entry.clientId) !== null) this.#keep({ ...entry, refused: detail });
    this.#changed();
  }

  #leave() {
    this.#hear.gone();
    return null;
  }

  #keep(entry) {
    write(this.#prefix + entry.clientId, JSON.stringify(entry));
  }

  #changed() {
    this.#hear.changed(this.entries);
  }
}

/** Where what a person has not sent yet begins among what the browser keeps. */
export function outboxOf(username) {
  return named(`outbox:${username}:`);
}

/** The other names under which this browser keeps something that was not sent. */
export function strayed(username) {
  const all = named("outbox:");
  const names = keys(all).map((key) => key.slice(all.length, key.lastIndexOf(":")));
  return [...new Set(names)].filter((name) => name !== username);
}

function parse(text) {
  try {
    const entry = JSON.parse(text);
    return typeof entry?.text === "string" ? entry : null;
  } catch {
    return null;
  }
}
