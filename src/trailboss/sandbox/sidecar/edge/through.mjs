// Requests and connections through a tunnel: the edge is its own connector and dials the origin itself.
import http from "node:http";
import { log } from "../errors.mjs";
import { ws } from "../toolchain.mjs";
import { COLO } from "./cf.mjs";
import { forward } from "./forward.mjs";
import { clientAddress, loops, pathOf, targetOf, toOrigin } from "./headers.mjs";
import { miss } from "./pages.mjs";
import { originOf } from "./tunnels.mjs";

const MAX_LOOPS = 16;
const HELLO =
  '<!DOCTYPE html><html lang="en"><head><title>Cloudflare Tunnel Connection</title></head>' +
  "<body><h1>Congrats! You created a tunnel!</h1><p>The sandbox's edge answers for this test service.</p></body></html>";

export class Through {
  #exchanges = new Set();
  #streams = new Set();

  get open() {
    return this.#streams.size;
  }

  /** Answer a request with what the tunnel's origin says. */
  request(req, res, { tunnel, host }, ray, urlScheme) {
    const origin = originOf(tunnel, host, pathOf(req.url));
    if (loops(req) > MAX_LOOPS) return miss(req, res, "loop", host, `${ray}-${COLO}`);
    if (origin.kind === "status") return own(req, res, origin.status, "", ray);
    if (origin.kind === "hello") return own(req, res, 200, HELLO, ray);
    if (origin.kind !== "http") return miss(req, res, "origin", "this service takes WebSocket connections only", `${ray}-${COLO}`);
    const headers = this.#headers(req, origin, host, ray, urlScheme, false);
    const done = ({ error, status }) => {
      if (error === undefined || status !== undefined || res.headersSent) return;
      log(`tunnel: ${host}: ${origin.service}: ${error.message}`);
      miss(req, res, "origin", error.message, `${ray}-${COLO}`);
    };
    return forward(origin.pool(host), req, res, { path: targetOf(req.url), headers, ray: `${ray}-${COLO}`, track: this.#exchanges, done, foreign: true });
  }

  /** Connect a client that asked for an upgrade: to an origin that takes it too, or, for a stream, frame by frame. */
  upgrade(req, socket, head, { tunnel, host }, ray, urlScheme) {
    const origin = originOf(tunnel, host, pathOf(req.url));
    const asked = req.headers.upgrade?.toLowerCase() === "websocket";
    if (origin.kind === "http") return this.#passed(req, socket, head, origin, host, ray, urlScheme);
    if (asked && (origin.kind === "stream" || origin.kind === "bastion")) return this.#stream(req, socket, head, origin, host);
    const res = answering(req, socket);
    if (origin.kind === "status") return own(req, res, origin.status, "", ray);
    return origin.kind === "hello" ? own(req, res, 200, HELLO, ray) : miss(req, res, "origin", origin.service, `${ray}-${COLO}`);
  }

  #headers(req, origin, host, ray, urlScheme, upgrade) {
    return toOrigin(req, { ray: `${ray}-${COLO}`, ip: clientAddress(req), scheme: urlScheme, host: origin.named ?? host, upgrade });
  }

  // What the origin answers is parsed, not passed on blindly: only a real 101 makes the connection the client's own.
  #passed(req, socket, head, origin, host, ray, urlScheme) {
    const upstream = origin.upgrade(host, { method: req.method, path: targetOf(req.url), headers: this.#headers(req, origin, host, ray, urlScheme, true) });
    upstream.on("upgrade", (answer, other, rest) => {
      socket.write(statusLine(answer));
      if (rest.length > 0) socket.write(rest);
      if (head.length > 0) other.write(head);
      this.#join(socket, other);
    });
    upstream.on("response", (answer) => {
      const res = answering(req, socket);
      res.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders.filter(kept));
      answer.pipe(res);
    });
    upstream.on("error", (error) => this.#refused(req, socket, origin, host, error));
    socket.on("close", () => upstream.destroy());
    upstream.end();
  }

  // Binary frames are the stream, as `cloudflared access tcp` and `ssh` have it.
  #stream(req, socket, head, origin, host) {
    let other;
    try {
      other = origin.connect(req.headers["cf-access-jump-destination"]);
    } catch (error) {
      this.#refused(req, socket, origin, host, error);
      return;
    }
    const failed = (error) => this.#refused(req, socket, origin, host, error);
    other.once("error", failed);
    other.once("connect", () => {
      other.off("error", failed);
      other.setNoDelay(true);
      const { WebSocketServer, createWebSocketStream } = ws();
      new WebSocketServer({ noServer: true, perMessageDeflate: false }).handleUpgrade(req, socket, head, (client) => {
        this.#join(createWebSocketStream(client), other);
      });
    });
  }

  #join(one, other) {
    const pair = [one, other];
    this.#streams.add(pair);
    const over = () => {
      this.#streams.delete(pair);
      for (const stream of pair) stream.destroy();
    };
    for (const [from, to] of [pair, [other, one]]) {
      from.on("error", over);
      // What was written last must still get through before the other side is closed.
      from.on("close", () => (to.writableFinished || to.destroyed ? over() : to.end(over)));
      from.pipe(to);
    }
  }

  #refused(req, socket, origin, host, error) {
    log(`tunnel: ${host}: ${origin.service}: ${error.message}`);
    if (!socket.destroyed && socket.bytesWritten === 0) miss(req, answering(req, socket), "origin", error.message);
    else socket.destroy();
  }

  close() {
    for (const pair of this.#streams) for (const stream of pair) stream.destroy();
  }
}

/** A response on a connection that asked for an upgrade, where Node makes none; the connection ends with it. */
export function answering(req, socket) {
  const res = new http.ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  res.on("finish", () => socket.end());
  return res;
}

function own(req, res, status, body, ray) {
  const headers = { server: "cloudflare", "cf-ray": `${ray}-${COLO}`, "content-length": Buffer.byteLength(body) };
  if (body) headers["content-type"] = "text/html; charset=UTF-8";
  res.writeHead(status, headers);
  res.end(req.method === "HEAD" ? undefined : body);
}

function statusLine(answer) {
  let head = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let i = 0; i < answer.rawHeaders.length; i += 2) head += `${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}\r\n`;
  return Buffer.from(`${head}\r\n`, "latin1");
}

const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);
const kept = (_, at, list) => !HOP.has(list[at - (at % 2)].toLowerCase());
