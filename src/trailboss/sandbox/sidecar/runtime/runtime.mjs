// Owns Miniflare: start, swap, crash, end. Nothing here knows of requests; the supervisor holds them meanwhile.
import { Refused, log } from "../errors.mjs";
import { miniflare, undici } from "../toolchain.mjs";
import { BRIDGE, HUB, OUTBOUND } from "./bindings.mjs";
import { account, servedHosts } from "./options.mjs";

const BAD_WORKER = /service core:user:(\S+?): (.*)/s;

/** Miniflare's own log goes to our stderr; it is also the first to tell of a crash. */
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

/** One Miniflare with its Workers, started and addressed. */
class Instance {
  lines = [];
  ports = new Map();

  async start(workers, routing, settings, events) {
    const { Miniflare } = miniflare();
    const { options, names, net } = await account(workers, routing, {
      ...settings,
      log: logger(() => events.onCrash(this)),
      onLog: (entry) => this.#logged(entry),
      onRestart: () => this.#address().then(() => events.onRestart(this)),
    });
    this.names = names;
    this.net = net;
    try {
      this.miniflare = new Miniflare(options);
      await this.miniflare.ready;
      await this.#address();
    } catch (error) {
      await this.stop();
      throw this.#refusal(error);
    }
    return this;
  }

  // Ports are asked again after a crash; the pool is new because the old one may hold dead connections.
  async #address() {
    const wanted = [HUB, BRIDGE, OUTBOUND, ...this.names, ...this.net.routers.keys()];
    const urls = await Promise.all(wanted.map((name) => this.miniflare.unsafeGetDirectURL(name)));
    this.ports = new Map(wanted.map((name, index) => [name, Number(urls[index].port)]));
    this.pool?.destroy().catch(() => {});
    this.pool = new undici.Agent({ keepAliveTimeout: 4000, keepAliveMaxTimeout: 4000, headersTimeout: 0, bodyTimeout: 0 });
  }

  #logged({ level, message }) {
    this.lines.push(message);
    if (this.lines.length > 200) this.lines.shift();
    if ((level === "error" || level === "warn") && !message.startsWith("NOSENTRY")) log(`workerd: ${message}`);
  }

  // workerd names the service that failed on a line of its own; without one, the error itself is all there is.
  #refusal(error) {
    for (const line of this.lines) {
      const match = BAD_WORKER.exec(line);
      if (match === null) continue;
      const [script, version] = match[1].split("@");
      return new Refused(422, match[2].trim().replaceAll("file:///", ""), { script, version });
    }
    return new Refused(422, error.message, { log: this.lines.slice(-20) });
  }

  async stop() {
    await this.miniflare?.dispose().catch((error) => log(`dispose: ${error.message}`));
    await this.pool?.destroy().catch(() => {});
  }
}

export class Runtime {
  #current = null;

  /** `settings`: persist, api, token, traced, listening, suffixes, edge() -> URL; `onCrash` and `onRestart` are called without arguments. */
  constructor(settings) {
    this.settings = settings;
  }

  get running() {
    return this.#current !== null;
  }

  get net() {
    return this.#current?.net ?? null;
  }

  /**
   * Start `workers` under `routing` beside what runs now; nothing is sent to them before `adopt`.
   * Raises Refused(422) when one of them does not start.
   */
  prepare(workers, routing) {
    const only = (callback) => (instance) => instance === this.#current && callback();
    const events = { onCrash: only(this.settings.onCrash), onRestart: only(this.settings.onRestart) };
    return new Instance().start(workers, routing, this.settings, events);
  }

  /** Make a prepared instance the one that runs, and end the other. */
  async adopt(next) {
    const last = this.#current;
    this.#current = next;
    await last?.stop();
  }

  async stop() {
    await this.adopt(null);
  }

  /** The sockets of the versions only, by `script@version`. */
  get targets() {
    return this.#current.names.map((name) => [name, this.#current.ports.get(name)]);
  }

  /** Wait until the runtime answers again (it may be restarting after a crash). */
  async ready() {
    await this.#current?.miniflare.ready;
  }

  /** A request to one of the internal Workers (or any named one) on its own socket; undici's response data. */
  request(name, { path = "/", method = "GET", headers = {}, body = null } = {}) {
    const { ports, pool } = this.#current;
    return undici.request(`http://127.0.0.1:${ports.get(name)}`, { dispatcher: pool, path, method, headers, body });
  }

  /** Ask the hub for `op` on one version. */
  async trigger(name, op, input) {
    const index = this.#current.names.indexOf(name);
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

  /** What of the routing is also known inside: weights of split scripts behind service bindings, custom domains. */
  async weigh(routing) {
    if (this.net === null) return;
    this.net.routing = routing;
    const hosts = await this.request(OUTBOUND, { method: "POST", headers: { "x-trailboss-hosts": "1" }, body: JSON.stringify(servedHosts(routing)) });
    await hosts.body.dump();
    const sent = [...this.net.routers].map(async ([name, entry]) => {
      const { body } = await this.request(name, { method: "POST", body: JSON.stringify(this.net.weights(entry)) });
      await body.dump();
    });
    await Promise.all(sent);
  }
}
