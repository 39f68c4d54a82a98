// What analytics are made of: invocations by second, script, version and outcome, until Python takes them.
// Wall times are kept in buckets that are an eighth of a doubling wide, so that quantiles of any span can be told.
const PER_DOUBLING = 8;
// Nobody took them for long: the oldest go.
const MOST = 100_000;

export class Invocations {
  #rows = new Map();

  /** One more, that took `ms`; `outcome` is one of Cloudflare's statuses of an invocation. */
  add(script, version, outcome, ms) {
    const second = Math.floor(Date.now() / 1000);
    const key = `${second}\n${script}\n${version}\n${outcome}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      if (this.#rows.size >= MOST) this.#rows.delete(this.#rows.keys().next().value);
      row = { second, script, version, outcome, requests: 0, us: 0, buckets: {} };
      this.#rows.set(key, row);
    }
    const us = Math.max(1, ms * 1000);
    const bucket = Math.round(Math.log2(us) * PER_DOUBLING);
    row.requests += 1;
    row.us += us;
    row.buckets[bucket] = (row.buckets[bucket] ?? 0) + 1;
  }

  /** All since the last time, and forget them. */
  take() {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return { rows };
  }
}

/** Cloudflare's word for how an exchange with a version ended. */
export function outcomeOf({ threw, aborted, cut, error }) {
  if (threw) return "scriptThrewException";
  if (aborted) return "clientDisconnected";
  return cut || error !== undefined ? "internalError" : "success";
}
