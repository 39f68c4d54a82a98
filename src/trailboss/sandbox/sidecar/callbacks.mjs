// Our calls to the Python control plane.
import { log } from "./errors.mjs";
import { undici } from "./toolchain.mjs";

export class Callbacks {
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

  /** What Python answers to a question of the edge. */
  ask(path, body) {
    return this.#post(path, body);
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
}
