// The public port: finds the Worker and the version, then hands the request to that version's own socket; or to a tunnel.
import http from "node:http";
import { Refused, log } from "../errors.mjs";
import { undici } from "../toolchain.mjs";
import { Access } from "./access.mjs";
import { ray as newRay, COLO } from "./cf.mjs";
import { choose } from "./choose.mjs";
import { forward } from "./forward.mjs";
import { Gate } from "./gate.mjs";
import { clientAddress, inbound, loops, scheme, targetOf, wholeUrl } from "./headers.mjs";
import { outcomeOf } from "./invocations.mjs";
import { miss } from "./pages.mjs";
import { Routes } from "./routes.mjs";
import { Stats } from "./stats.mjs";
import { Through, answering } from "./through.mjs";
import { Tunnel, handshake } from "./websocket.mjs";

// A Worker that fetches itself is stopped: by the count its requests carry when they are passed on, else by how many
// requests of Workers are under way at once (a fresh request carries nothing).
const MAX_LOOPS = 16;
const MAX_NESTED = 200;
const POOL = { connections: 512, pipelining: 1, keepAliveTimeout: 4000, keepAliveMaxTimeout: 4000, headersTimeout: 0, bodyTimeout: 0 };

export class Ingress {
  gate = new Gate();
  stats = new Stats();
  through = new Through();
  access = new Access();
  #routes;
  #targets = new Map();
  #exchanges = new Set();
  #tunnels = new Set();
  #nested = 0;
  #server;
  /** When something was last sent to the present sockets, by the clock of `performance`. */
  lastSent = Number.NEGATIVE_INFINITY;

  /**
   * `previews(script, prefix)` loads a preview version and answers its id, or undefined. `recover()` answers when the
   * runtime is usable again after a lost connection. `ask(path, body)` asks Python.
   */
  constructor({ subdomain, previews, recover, ask }) {
    this.subdomain = subdomain;
    this.previews = previews;
    this.recover = recover;
    this.ask = ask;
    this.#routes = new Routes({}, subdomain);
    this.#server = http.createServer({ keepAliveTimeout: 75_000, requestTimeout: 0, maxHeaderSize: 131_072, noDelay: true }, (req, res) => this.#request(req, res));
    this.#server.on("upgrade", (req, socket, head) => this.#upgrade(req, socket, head));
    this.#server.on("clientError", (_error, socket) => socket.writable && socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  listen({ host, port }) {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, 1024, () => resolve(this.#server.address().port));
    });
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
    this.through.close();
  }

  /** New weights, routes, hosts, tunnels and Access policies: effective with the next request. */
  route(routing) {
    this.access = new Access(routing.access, this.ask, this.access);
    this.#routes = new Routes(routing, this.subdomain, this.#routes);
  }

  /** New sockets, by `script@version`; old pools are left to close. */
  retarget(ports) {
    for (const target of this.#targets.values()) target.pool.destroy().catch(() => {});
    this.#targets = new Map();
    this.lastSent = Number.NEGATIVE_INFINITY;
    for (const [key, port] of ports) this.#targets.set(key, { port, pool: new undici.Pool(`http://127.0.0.1:${port}`, POOL) });
  }

  /** Hold new requests and empty the runtime: wait at most `bound` ms, then cut streams and close WebSockets (1012). */
  async drain(bound) {
    const drained = await this.gate.close(bound);
    for (const exchange of [...this.#exchanges]) exchange.cut();
    for (const tunnel of [...this.#tunnels]) tunnel.restart();
    return drained;
  }

  report() {
    return { ...this.stats.report(), in_flight: this.gate.inFlight, held: this.gate.held, held_total: this.gate.heldTotal, websockets: this.#tunnels.size, tunnel_streams: this.through.open };
  }

  /** Where this request goes: `{script, version, key}`, `{tunnel}`, or `{miss}`. Synchronous unless a preview has to be loaded. */
  #resolve(req, urlScheme) {
    if (loops(req) > MAX_LOOPS || (this.#nested >= MAX_NESTED && isNested(req))) return { miss: "loop", host: req.headers.host };
    const found = this.#routes.find(urlScheme, req.headers.host ?? "", targetOf(req.url), isNested(req));
    if (found.miss !== undefined || found.tunnel !== undefined) return found;
    const { script } = found;
    if (found.prefix !== undefined) return this.#preview(script, found.prefix);
    if (found.version !== undefined) {
      return this.#targets.has(`${script}@${found.version}`) ? { script, version: found.version, preview: true } : this.#preview(script, found.version);
    }
    const versions = this.#routes.scripts[script]?.versions ?? [];
    if (versions.length === 0) return { miss: "no-deployment", host: script };
    return { script, version: choose(script, versions, req.headers) };
  }

  async #preview(script, prefix) {
    const version = await this.previews(script, prefix);
    return version === undefined ? { miss: "no-preview", host: script } : { script, version, preview: true };
  }

  // The common case runs through without a promise: no preview to load, nothing to wait for.
  #request(req, res) {
    const ray = newRay();
    const urlScheme = scheme(req);
    const failed = (error) => this.#broken(req, res, error, ray);
    try {
      const found = this.#resolve(req, urlScheme);
      if (found instanceof Promise) found.then((target) => this.#found(req, res, target, ray, urlScheme)).catch(failed);
      else this.#found(req, res, found, ray, urlScheme)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  // Access stands before everything that has a host name, but for what a Worker on it fetches from its own origin.
  #found(req, res, found, ray, urlScheme) {
    if (this.access.empty || found.behindWorker) return this.#go(req, res, found, ray, urlScheme);
    const stopped = this.access.stop(req, () => res, found, ray, urlScheme);
    if (stopped instanceof Promise) return stopped.then((over) => (over ? undefined : this.#go(req, res, found, ray, urlScheme)));
    return stopped ? undefined : this.#go(req, res, found, ray, urlScheme);
  }

  #go(req, res, found, ray, urlScheme) {
    if (found.tunnel !== undefined) return this.through.request(req, res, found, ray, urlScheme);
    if (found.miss === undefined) return this.#enter(req, res, found, ray, urlScheme, 0);
    miss(req, res, found.miss, found.host, `${ray}-${COLO}`);
    return undefined;
  }

  #broken(req, res, error, ray) {
    log(`ingress: ${error.stack}`);
    if (res.headersSent) res.destroy();
    else miss(req, res, error instanceof Refused ? "stopped" : "gone", error.message, `${ray}-${COLO}`);
  }

  #enter(req, res, found, ray, urlScheme, attempt) {
    const waiting = this.gate.enter(isNested(req));
    if (waiting !== undefined) return waiting.then(() => this.#send(req, res, found, ray, urlScheme, attempt));
    return this.#send(req, res, found, ray, urlScheme, attempt);
  }

  #send(req, res, found, ray, urlScheme, attempt) {
    const target = this.#targets.get(`${found.script}@${found.version}`) ?? this.#fallback(found);
    if (target === undefined || res.closed) {
      this.gate.leave();
      if (!res.closed) miss(req, res, "no-deployment", found.script, `${ray}-${COLO}`);
      return;
    }
    const started = performance.now();
    this.lastSent = started;
    const headers = inbound(req, { ray: `${ray}-${COLO}`, ip: clientAddress(req), scheme: urlScheme });
    const nested = isNested(req) ? 1 : 0;
    this.#nested += nested;
    const done = (outcome) => {
      this.gate.leave();
      this.#nested -= nested;
      if (outcome.error !== undefined && !res.headersSent && outcome.status === undefined) {
        this.#lost(req, res, found, ray, urlScheme, attempt, outcome).catch((error) => this.#broken(req, res, error, ray));
        return;
      }
      this.stats.count(found.script, found.version, outcome.status, performance.now() - started, outcomeOf(outcome));
    };
    forward(target.pool, req, res, { path: wholeUrl(req, urlScheme), headers, ray: `${ray}-${COLO}`, track: this.#exchanges, done });
  }

  // The deployment changed while the request was held: the version it was meant for is gone.
  #fallback(found) {
    const versions = this.#routes.scripts[found.script]?.versions ?? [];
    const other = versions.find((entry) => this.#targets.has(`${found.script}@${entry.version}`));
    if (other === undefined) return undefined;
    found.version = other.version;
    return this.#targets.get(`${found.script}@${other.version}`);
  }

  // Nothing reached the client yet: wait for the runtime and try once more if the request can be repeated.
  async #lost(req, res, found, ray, urlScheme, attempt, outcome) {
    if (outcome.lost && attempt < 3) {
      await this.recover();
      if (outcome.retry) return this.#enter(req, res, found, ray, urlScheme, attempt + 1);
    }
    this.stats.count(found.script, found.version, 502, 0, outcomeOf(outcome));
    log(`ingress: ${found.script}: ${outcome.error.message}`);
    return miss(req, res, "gone", outcome.error.message, `${ray}-${COLO}`);
  }

  async #upgrade(req, socket, head) {
    socket.on("error", () => socket.destroy());
    const ray = newRay();
    const urlScheme = scheme(req);
    try {
      const found = await this.#resolve(req, urlScheme);
      const open = this.access.empty || found.behindWorker;
      if (!open && (await this.access.stop(req, () => answering(req, socket), found, ray, urlScheme))) return undefined;
      if (found.miss !== undefined) return refuse(req, socket, found.miss, found.host);
      if (found.tunnel !== undefined) return this.through.upgrade(req, socket, head, found, ray, urlScheme);
      const waiting = this.gate.enter();
      if (waiting !== undefined) await waiting;
      this.gate.leave();
      const target = this.#targets.get(`${found.script}@${found.version}`) ?? this.#fallback(found);
      if (target === undefined) return refuse(req, socket, "no-deployment", found.script);
      if (head.length > 0) socket.unshift(head);
      this.#tunnel(req, socket, target, found, ray, urlScheme);
    } catch (error) {
      log(`upgrade: ${error.stack}`);
      socket.destroy();
    }
    return undefined;
  }

  #tunnel(req, socket, target, found, ray, urlScheme) {
    const headers = inbound(req, { ray: `${ray}-${COLO}`, ip: clientAddress(req), scheme: urlScheme, upgrade: true });
    const started = performance.now();
    const tunnel = new Tunnel(socket, target.port, handshake(req, wholeUrl(req, urlScheme), headers), {
      isWebSocket: req.headers.upgrade?.toLowerCase() === "websocket",
      onStatus: (status) => this.stats.count(found.script, found.version, status, performance.now() - started, outcomeOf({})),
      onEnd: () => this.#tunnels.delete(tunnel),
    });
    this.#tunnels.add(tunnel);
  }
}

/** Sent by a Worker, not by a client. */
const isNested = (req) => req.headers["cf-worker"] !== undefined;

/** The edge's own page on a connection that asked for an upgrade. */
function refuse(req, socket, reason, detail) {
  miss(req, answering(req, socket), reason, detail);
}
