// Our calls to the Python control plane.
import { log } from "./errors.mjs";
import { undici } from "./toolchain.mjs";

const BATCH = 500;
const KEPT = 20_000;

export class Callbacks {
  #items = [];
  #sending = false;
  dropped = 0;
  delivered = 0;

  constructor({ api, token }) {
    this.api = api.replace(/\/$/, "");
    this.headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  }

  async #post(path, body) {
    const answer = await undici.request(`${this.api}${path}`, { method: "POST", headers: this.headers, body: JSON.stringify(body) });
    const text = await answer.body.text();
    if (answer.statusCode >= 400) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** The Workers of a preview version that is not deployed; an empty list when there is none. */
  async preview(script, prefix) {
    try {
      const answer = await this.#post("/preview", { script, version: prefix });
      if (answer === null) return [];
      return Array.isArray(answer) ? answer : (answer.workers ?? []);
    } catch (error) {
      log(`preview: ${error.message}`);
      return [];
    }
  }

  /** Queue trace items for delivery, oldest first; they are dropped only when Python falls far behind. */
  trace(items) {
    this.#items.push(...items);
    const over = this.#items.length - KEPT;
    if (over > 0) {
      this.#items.splice(0, over);
      this.dropped += over;
    }
    if (!this.#sending) this.#send();
  }

  async #send() {
    this.#sending = true;
    while (this.#items.length > 0) {
      const batch = this.#items.splice(0, BATCH);
      try {
        await this.#post("/trace", batch);
        this.delivered += batch.length;
      } catch (error) {
        this.dropped += batch.length;
        log(`trace: ${error.message}`);
      }
    }
    this.#sending = false;
  }
}
