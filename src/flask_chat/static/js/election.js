import { dropLease, takeLease, winLease } from "./exclusive.js";
import { onChange } from "./store.js";

const LEASE = 30000;
const LOOK = 3000;
const DEAD = 70000;

/**
 * One tab of a browser leads, the others follow. A tab that is closed or frozen hands over; one that has gone
 * quiet for over a minute is deposed. `elected` and `deposed` are called as this tab's turn comes and goes.
 */
export class Election {
  #name;
  #elected;
  #deposed;
  #abdicate = null;
  #heardAt = Date.now();
  #queue = null;
  #reaching = false;

  constructor(name, { elected, deposed }) {
    this.#name = name;
    this.#elected = elected;
    this.#deposed = deposed;
  }

  get leading() {
    return this.#abdicate !== null;
  }

  start() {
    const stand = navigator.locks ? () => this.#request() : () => this.#lease();
    addEventListener("pagehide", () => this.#resign());
    addEventListener("pageshow", ({ persisted }) => persisted && stand());
    document.addEventListener("freeze", () => this.#resign());
    document.addEventListener("resume", stand);
    setInterval(() => this.#look(), LOOK);
    if (!navigator.locks) onChange((key, _, value) => key === this.#name && value === null && this.#lease());
    stand();
  }

  /** The leader is at work: called by itself to keep its lease, and by those who hear of it. */
  alive() {
    this.#heardAt = Date.now();
    if (this.leading && !navigator.locks) this.#lease();
  }

  #look() {
    if (!navigator.locks) return this.#lease();
    const quiet = Date.now() - this.#heardAt > DEAD;
    if (!this.leading && quiet && document.visibilityState === "visible") this.#request({ steal: true });
  }

  async #request({ steal = false } = {}) {
    if (this.leading) return;
    this.#queue?.abort();
    this.#queue = new AbortController();
    this.#heardAt = Date.now();
    const { signal } = this.#queue;
    try {
      await navigator.locks.request(this.#name, steal ? { steal } : { signal }, () => this.#reign());
    } catch {
      // Aborted by ourselves, or the lock was stolen from under us.
      this.#resign(false);
      if (!signal.aborted) this.#request();
    }
  }

  async #lease() {
    if (this.leading) return takeLease(this.#name, LEASE) || this.#resign(false);
    if (this.#reaching) return;
    this.#reaching = true;
    if (await winLease(this.#name, LEASE)) this.#reign();
    this.#reaching = false;
  }

  #reign() {
    this.#elected();
    return new Promise((resolve) => {
      this.#abdicate = resolve;
    });
  }

  #resign(leave = true) {
    if (leave) this.#queue?.abort();
    if (leave && !navigator.locks) dropLease(this.#name);
    if (!this.leading) return;
    this.#abdicate();
    this.#abdicate = null;
    this.#deposed();
  }
}
