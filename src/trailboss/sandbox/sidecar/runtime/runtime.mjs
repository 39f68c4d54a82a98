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
    this.listening = settings.listening;
    this.routing = routing;
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

  /** A request to one Worker on its own socket; undici's response data. */
  request(name, { path = "/", method = "GET", headers = {}, body = null } = {}) {
    return undici.request(`http://127.0.0.1:${this.ports.get(name)}`, { dispatcher: this.pool, path, method, headers, body });
  }

  /** Deliver the trace items that still wait inside. */
  async flush() {
    try {
      const { body } = await this.request(BRIDGE);
      await body.dump();
    } catch (error) {
      log(`flush: ${error.message}`);
    }
  }

  async stop() {
    await this.miniflare?.dispose().catch((error) => log(`dispose: ${error.message}`));
    await this.pool?.destroy().catch(() => {});
  }
}

export class Runtime {
  #current = null;
  /** When the current one last got an event to run, by the clock of `performance`. */
  used = Number.NEGATIVE_INFINITY;

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

  /** Make a prepared instance the one that runs. The other is given back, for the caller to end. */
  async adopt(next) {
    const last = this.#current;
    // Who listens may have changed while it was prepared.
    while (next !== null && next.listening !== this.settings.listening) await tell(next, this.settings.listening);
    this.#current = next;
    this.used = Number.NEGATIVE_INFINITY;
    return last;
  }

  async stop() {
    const last = await this.adopt(null);
    await last?.stop();
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
  request(name, request) {
    return this.#current.request(name, request);
  }

  /** Ask the hub for `op` on one version. */
  async trigger(name, op, input) {
    const index = this.#current.names.indexOf(name);
    if (index < 0) throw new Refused(404, `version ${name} is not loaded`);
    this.used = performance.now();
    const { body } = await this.request(HUB, { method: "POST", body: JSON.stringify({ ...input, op, index }) });
    return body.json();
  }

  /** Deliver the trace items that still wait inside the runtime. */
  async flush() {
    await this.#current?.flush();
  }

  /** Whose traces are wanted: "all" or a list of scripts. The tail stays attached, so nothing is reloaded. */
  async listen(scripts) {
    this.settings.listening = scripts;
    if (this.running) await tell(this.#current, scripts);
  }

  /** After a crash the runtime is as it was prepared; tell it again what was said since. */
  async remind() {
    await tell(this.#current, this.settings.listening ?? "all");
    const { routing } = this.#current;
    this.#current.routing = null;
    await this.weigh(routing);
  }

  /** What of the routing is also known inside, as far as it changed: weights behind service bindings, custom domains. */
  async weigh(routing) {
    if (this.net === null) return;
    const { net } = this;
    const before = this.#current.routing;
    const weightsBefore = before === null ? [] : [...net.routers.values()].map((entry) => JSON.stringify(net.weights(entry)));
    net.routing = routing;
    this.#current.routing = routing;
    const sent = [];
    const hosts = JSON.stringify(servedHosts(routing));
    if (before === null || hosts !== JSON.stringify(servedHosts(before))) sent.push(post(this.#current, OUTBOUND, hosts, { "x-trailboss-hosts": "1" }));
    [...net.routers].forEach(([name, entry], at) => {
      const weights = JSON.stringify(net.weights(entry));
      if (weights !== weightsBefore[at]) sent.push(post(this.#current, name, weights));
    });
    await Promise.all(sent);
  }
}

async function post(instance, name, body, headers = {}) {
  const answer = await instance.request(name, { method: "POST", headers, body });
  await answer.body.dump();
}

async function tell(instance, scripts) {
  instance.listening = scripts;
  await post(instance, BRIDGE, JSON.stringify(scripts));
}
