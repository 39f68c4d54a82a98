// The control port: HTTP JSON on loopback, one bearer token, one table of routes.
import { timingSafeEqual } from "node:crypto";
import http from "node:http";
import { Refused, log } from "../errors.mjs";
import { isLocal, stripPort } from "../edge/routes.mjs";

export async function readBody(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function readJson(req) {
  const body = await readBody(req);
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new Refused(400, `the body is not JSON: ${error.message}`);
  }
}

export function sendJson(res, status, value) {
  const body = Buffer.from(JSON.stringify(value));
  res.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  res.end(body);
}

function sendError(res, error) {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  if (!(error instanceof Refused)) log(`control: ${error.stack}`);
  sendJson(res, error instanceof Refused ? error.status : 500, { error: { message: error.message, ...error.detail } });
}

export class ControlServer {
  #server;
  #routes = [];

  constructor(token) {
    this.expected = Buffer.from(`Bearer ${token}`);
    this.#server = http.createServer({ requestTimeout: 0, keepAliveTimeout: 75_000, maxHeaderSize: 131_072, noDelay: true }, (req, res) => this.#request(req, res));
  }

  /** `handler(context)` for `method` (or "*") and paths that start with `prefix`; `context.rest` is what follows it. */
  on(method, prefix, handler) {
    this.#routes.push({ method, prefix, handler });
    this.#routes.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  /** A route whose answer is what `work(body)` gives, as JSON. */
  json(method, path, work) {
    this.on(method, path, async ({ req, res }) => sendJson(res, 200, (await work(method === "GET" ? {} : await readJson(req))) ?? {}));
  }

  async #request(req, res) {
    try {
      this.#check(req);
      const url = new URL(req.url, "http://control");
      const route = this.#routes.find((entry) => (entry.method === "*" || entry.method === req.method) && url.pathname.startsWith(entry.prefix));
      if (route === undefined) throw new Refused(404, `no such control path: ${req.method} ${url.pathname}`);
      await route.handler({ req, res, url, rest: url.pathname.slice(route.prefix.length) });
    } catch (error) {
      sendError(res, error);
    }
  }

  #check(req) {
    if (!isLocal(stripPort(req.headers.host ?? "")) && stripPort(req.headers.host ?? "") !== "supervisor") throw new Refused(403, "the control port answers on loopback only");
    const given = Buffer.from(req.headers.authorization ?? "");
    if (given.length !== this.expected.length || !timingSafeEqual(given, this.expected)) throw new Refused(401, "the bearer token is missing or wrong");
  }

  listen({ host = "127.0.0.1", port = 0 }) {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => resolve(this.#server.address().port));
    });
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
