const FIRST = 500;
const LONGEST = 15000;

/**
 * Waits between attempts: half a second, doubling to fifteen, jittered so that a thousand browsers do not come back
 * in the same instant. A wait ends early when the network returns, when the tab is looked at, or by `hurry`.
 */
export class Backoff {
  #attempts = 0;

  hurry = () => {};

  /** Resolves after `milliseconds`, or after the next backoff when none are given. */
  async wait(milliseconds = this.#next()) {
    const seen = () => document.visibilityState === "visible" && this.hurry();
    const online = () => this.hurry();
    let timer;
    addEventListener("online", online);
    document.addEventListener("visibilitychange", seen);
    try {
      await new Promise((resolve) => {
        this.hurry = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
    } finally {
      clearTimeout(timer);
      removeEventListener("online", online);
      document.removeEventListener("visibilitychange", seen);
    }
  }

  reset() {
    this.#attempts = 0;
  }

  #next() {
    const ceiling = Math.min(LONGEST, FIRST * 2 ** this.#attempts++);
    return ceiling * (0.5 + Math.random() / 2);
  }
}
