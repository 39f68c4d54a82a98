// Runtimes that were replaced and may still be at work: answers on their way, and what `waitUntil` was given.
import { setTimeout as sleep } from "node:timers/promises";
import { log } from "../errors.mjs";

// Each holds a process: with more swaps than this in a row the oldest ends early.
const MOST = 2;

export class Lingering {
  #entries = new Set();

  /** `bound`: how long one may stay, in ms. */
  constructor(bound) {
    this.bound = bound;
  }

  /** Call `end` when the time is over, or when it is wanted earlier; at once if it is not `busy`. */
  add(end, busy) {
    const waiting = new AbortController();
    const entry = { hurry: () => waiting.abort() };
    entry.over = sleep(this.bound, undefined, { signal: waiting.signal })
      .catch(() => {})
      .then(end)
      .catch((error) => log(`a replaced runtime: ${error.message}`))
      .finally(() => this.#entries.delete(entry));
    this.#entries.add(entry);
    for (const oldest of [...this.#entries].slice(0, -MOST)) oldest.hurry();
    if (!busy) entry.hurry();
  }

  /** End all of them now. */
  async end() {
    const entries = [...this.#entries];
    for (const entry of entries) entry.hurry();
    await Promise.all(entries.map((entry) => entry.over));
  }
}
