// Counters per script and version, since the start or the last reset; and invocations, until they are taken.
import { Invocations } from "./invocations.mjs";

export class Stats {
  invocations = new Invocations();
  #scripts = new Map();
  swaps = 0;
  failedSwaps = 0;
  crashes = 0;
  lastSwapMs = 0;
  lastHoldMs = 0;
  weights = 0;

  count(script, version, status, ms, outcome) {
    this.invocations.add(script, version, outcome, ms);
    const key = `${script}\n${version}`;
    let entry = this.#scripts.get(key);
    if (entry === undefined) {
      entry = { requests: 0, statuses: {}, ms: 0, websockets: 0 };
      this.#scripts.set(key, entry);
    }
    entry.requests += 1;
    entry.ms += ms;
    entry.statuses[status] = (entry.statuses[status] ?? 0) + 1;
    if (status === 101) entry.websockets += 1;
  }

  /** A swap took `ms` in all and held requests for `held` ms of them. */
  swapped(ms, held) {
    this.swaps += 1;
    this.lastSwapMs = Math.round(ms);
    this.lastHoldMs = Math.round(held);
  }

  reset() {
    this.#scripts.clear();
    this.invocations.take();
  }

  report() {
    const scripts = {};
    for (const [key, entry] of this.#scripts) {
      const [script, version] = key.split("\n");
      (scripts[script] ??= {})[version] = { ...entry, ms: Math.round(entry.ms * 1000) / 1000 };
    }
    const { swaps, failedSwaps, crashes, lastSwapMs, lastHoldMs, weights } = this;
    return { scripts, swaps, failed_swaps: failedSwaps, crashes, last_swap_ms: lastSwapMs, last_hold_ms: lastHoldMs, weight_changes: weights };
  }
}
