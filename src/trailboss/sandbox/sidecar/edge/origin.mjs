// One `service` of a tunnel's rules: how it is dialled, for requests, for WebSockets, for streams.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { log } from "../errors.mjs";
import { undici } from "../toolchain.mjs";

const STREAM_PORTS = { "tcp:": undefined, "ssh:": 22, "rdp:": 3389, "smb:": 445 };
const HTTP_SCHEMES = { "http:": "http", "https:": "https", "ws:": "http", "wss:": "https" };
const [CONNECT_SECONDS, IDLE_SECONDS, CONNECTIONS, MAX_POOLS] = [30, 90, 100, 64];

export class Origin {
  #pools = new Map();

  /** `settings` is the merged originRequest of the tunnel and the rule. */
  constructor(service, settings = {}) {
    this.service = service;
    this.settings = settings;
    try {
      Object.assign(this, described(service));
    } catch (error) {
      log(`tunnel: ${service}: ${error.message}`);
      this.kind = "other";
    }
  }

  /** What the origin is told in place of the public host name. */
  get named() {
    return this.settings.httpHostHeader || undefined;
  }

  /** A pool of connections for requests to `host`; throws when the settings cannot be used (a CA that is not there). */
  pool(host) {
    // undici opens a TLS connection anew for another Host header, so each has a pool of its own.
    const key = this.url.startsWith("https:") ? (this.named ?? host) : "";
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new undici.Pool(this.url, {
        connect: this.#connector(host),
        connections: this.settings.keepAliveConnections ?? CONNECTIONS,
        keepAliveTimeout: this.#milliseconds("keepAliveTimeout", IDLE_SECONDS),
        pipelining: 1,
        allowH2: false,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      this.#pools.set(key, pool);
      if (this.#pools.size > MAX_POOLS) this.#retire(this.#pools.keys().next().value);
    }
    return pool;
  }

  // Left to itself undici takes the Host header for the server's name in TLS; cloudflared takes the service's.
  #connector(host) {
    const servername = this.#servername(host) || undefined;
    const timeout = this.#milliseconds("connectTimeout", CONNECT_SECONDS);
    const connect = undici.buildConnector({ ...this.#tls(servername), timeout, socketPath: this.socketPath, allowH2: false });
    return (options, done) => connect({ ...options, servername }, done);
  }

  #retire(key) {
    const pool = this.#pools.get(key);
    this.#pools.delete(key);
    pool.close().catch(() => {});
  }

  /** A request that may be upgraded, not yet sent. */
  upgrade(host, { method, path, headers }) {
    const { hostname, port } = new URL(this.url);
    const client = this.url.startsWith("https:") ? https : http;
    const place = this.socketPath === undefined ? { host: bare(hostname), port: port || undefined } : { socketPath: this.socketPath };
    return client.request({ ...place, ...this.#tls(this.#servername(host)), method, path, headers, agent: false, setHost: false });
  }

  /** A raw connection to a stream's server; `destination` is asked for by the client of a bastion. */
  connect(destination) {
    const { host, port } = this.kind === "bastion" ? parts(destination) : this;
    const socket = net.connect({ host, port });
    socket.setTimeout(this.#milliseconds("connectTimeout", CONNECT_SECONDS), () => socket.destroy(new Error("the origin did not take the connection in time")));
    socket.once("connect", () => socket.setTimeout(0));
    return socket;
  }

  #servername(host) {
    if (!this.url.startsWith("https:")) return "";
    return this.settings.originServerName || (this.settings.matchSNItoHost ? host : "");
  }

  #tls(servername) {
    if (!this.url.startsWith("https:")) return {};
    const tls = { rejectUnauthorized: !this.settings.noTLSVerify, servername: servername || tlsName(this.url) };
    if (this.settings.caPool) tls.ca = readFileSync(this.settings.caPool);
    return tls;
  }

  #milliseconds(name, otherwise) {
    return Math.max(1, this.settings[name] ?? otherwise) * 1000;
  }

  /** No new requests; those under way end in peace. */
  close() {
    for (const key of [...this.#pools.keys()]) this.#retire(key);
  }
}

/** `kind` is status, hello, http, stream, bastion or other, with what each needs. */
function described(service) {
  if (service.startsWith("http_status:")) return { kind: "status", status: Number(service.slice(12)) };
  if (service === "hello_world" || service === "hello-world") return { kind: "hello" };
  if (service === "bastion") return { kind: "bastion" };
  if (service.startsWith("unix:")) return { kind: "http", url: "http://localhost", socketPath: service.slice(5) };
  if (service.startsWith("unix+tls:")) return { kind: "http", url: "https://localhost", socketPath: service.slice(9) };
  if (service === "socks-proxy") return { kind: "other" };
  const url = new URL(service);
  const scheme = HTTP_SCHEMES[url.protocol];
  if (scheme !== undefined) return { kind: "http", url: `${scheme}://${url.host}` };
  return { kind: "stream", host: bare(url.hostname), port: Number(url.port || STREAM_PORTS[url.protocol]) };
}

// An address is no name that TLS could ask for; Node then checks the certificate for the address.
function tlsName(url) {
  const { hostname } = new URL(url);
  return net.isIP(bare(hostname)) ? "" : hostname;
}

const bare = (hostname) => hostname.replace(/^\[|\]$/g, "");

function parts(destination = "") {
  const colon = destination.lastIndexOf(":");
  if (colon < 1) throw new Error("a bastion is told where to go by Cf-Access-Jump-Destination: host:port");
  return { host: bare(destination.slice(0, colon)), port: Number(destination.slice(colon + 1)) };
}
