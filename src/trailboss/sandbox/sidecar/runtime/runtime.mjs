// Owns Miniflare: start, swap, crash, end. Nothing here knows of requests; the supervisor holds them meanwhile.
import { Refused, log } from "../errors.mjs";
import { miniflare, undici } from "../toolchain.mjs";
import { BRIDGE, HUB } from "./bindings.mjs";
import { account } from "./options.mjs";

const BAD_WORKER = /service core:user:(\S+?): (.*)/s;

/** Miniflare's own log goes to our stderr; what matters of it is kept for error messages. */
function logger(onCrash) {
  const { Log, LogLevel } = miniflare();
  return new (class extends Log {
    constructor() {
      super(LogLevel.WARN);
    }

    log(message) {
      log(message);
      if (message.includes("crashed unexpectedly")) onCrash();
    }
  })();
}

export class Runtime {
  #instance = null;
  #lines = [];
  #names = [];
  #pool = null;
  ports = new Map();
  net = null;

  /** `settings`: persist, api, token, traced, listening; `onCrash` and `onRestart` are called, synchronously. */
  constructor(settings) {
    this.settings = settings;
  }

  get running() {
    return this.#instance !== null;
  }

  /** Run `workers` under `routing`. Raises Refused(422) when one of them does not start; then nothing runs. */
  async load(workers, routing) {
    this.#lines = [];
    const settings = {
      ...this.settings,
      log: (this.log ??= logger(() => this.settings.onCrash())),
      onLog: (entry) => this.#logged(entry),
      onRestart: () => this.#afterCrash(),
    };
    const { options, names, net } = await account(workers, routing, settings);
    try {
      await this.#apply(options);
    } catch (error) {
      await this.#discard();
      throw this.#refusal(error);
    }
    this.#names = names;
    this.net = net;
    await this.#addresses();
  }

  async #apply(options) {
    if (this.#instance !== null) return this.#instance.setOptions(options);
    const { Miniflare } = miniflare();
    this.#instance = new Miniflare(options);
    await this.#instance.ready;
    return undefined;
  }

  async #discard() {
    const instance = this.#instance;
    this.#instance = null;
    await instance?.dispose().catch((error) => log(`dispose: ${error.message}`));
  }

  async #addresses() {
    const ports = new Map();
    const wanted = [HUB, BRIDGE, ...this.#names, ...this.net.routers.keys()];
    for (const name of wanted) ports.set(name, Number((await this.#instance.unsafeGetDirectURL(name)).port));
    this.ports = ports;
    this.#pool?.destroy().catch(() => {});
    this.#pool = new undici.Agent({ keepAliveTimeout: 4000, keepAliveMaxTimeout: 4000, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** The sockets of the versions only, by `script@version`. */
  get targets() {
    return this.#names.map((name) => [name, this.ports.get(name)]);
  }

  #logged({ level, message }) {
    this.#lines.push(message);
    if (this.#lines.length > 200) this.#lines.shift();
    if ((level === "error" || level === "warn") && !message.startsWith("NOSENTRY")) log(`workerd: ${message}`);
  }

  // workerd names the service that failed on a line of its own; without one, the error itself is all there is.
  #refusal(error) {
    for (const line of this.#lines) {
      const match = BAD_WORKER.exec(line);
      if (match === null) continue;
      const [script, version] = match[1].replace(/:$/, "").split("@");
      return new Refused(422, match[2].trim(), { script, version });
    }
    return new Refused(422, error.message, { log: this.#lines.slice(-20) });
  }

  async #afterCrash() {
    await this.#addresses();
    this.settings.onRestart();
  }

  /** Wait until the runtime answers again (it may be restarting after a crash). */
  async ready() {
    await this.#instance?.ready;
  }

  /** A request to one of the internal Workers (or any named one) on its own socket; undici's response data. */
  request(name, { path = "/", method = "GET", headers = {}, body = null } = {}) {
    return undici.request(`http://127.0.0.1:${this.ports.get(name)}`, { dispatcher: this.#pool, path, method, headers, body });
  }

  /** Ask the hub for `op` on one version. */
  async trigger(name, op, input) {
    const index = this.#names.indexOf(name);
    if (index < 0) throw new Refused(404, `version ${name} is not loaded`);
    const { body } = await this.request(HUB, { method: "POST", body: JSON.stringify({ ...input, op, index }) });
    return body.json();
  }

  /** Deliver the trace items that still wait inside the runtime. */
  async flush() {
    if (!this.running) return;
    try {
      const { body } = await this.request(BRIDGE);
      await body.dump();
    } catch (error) {
      log(`flush: ${error.message}`);
    }
  }

  /** Whose traces are wanted: "all" or a list of scripts. The tail stays attached, so nothing is reloaded. */
  async listen(scripts) {
    this.settings.listening = scripts;
    if (!this.running) return;
    const { body } = await this.request(BRIDGE, { method: "POST", body: JSON.stringify(scripts) });
    await body.dump();
  }

  /** New weights for the routers between service bindings and split scripts. */
  async weigh(routing) {
    if (this.net === null) return;
    this.net.routing = routing;
    const sent = [...this.net.routers].map(async ([name, entry]) => {
      const { body } = await this.request(name, { method: "POST", body: JSON.stringify(this.net.weights(entry)) });
      await body.dump();
    });
    await Promise.all(sent);
  }

  async stop() {
    await this.#discard();
    await this.#pool?.destroy().catch(() => {});
    this.ports = new Map();
  }
}
