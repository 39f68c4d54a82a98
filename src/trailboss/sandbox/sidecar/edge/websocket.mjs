// WebSockets (and any other upgrade): the bytes are passed through, the handshake is ours to rewrite.
import net from "node:net";
import { log } from "../errors.mjs";

const MAX_HEAD = 65536;

/** Follows frame headers in a byte stream, to know when it stands between two frames. */
export class Frames {
  #header = [];
  #left = 0;

  get between() {
    return this.#left === 0 && this.#header.length === 0;
  }

  read(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at]);
      at += 1;
      this.#headerComplete();
    }
  }

  #headerComplete() {
    const header = this.#header;
    if (header.length < 2) return;
    const masked = (header[1] & 0x80) !== 0 ? 4 : 0;
    const short = header[1] & 0x7f;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (header.length < 2 + extra + masked) return;
    let length = short;
    if (extra > 0) length = header.slice(2, 2 + extra).reduce((sum, byte) => sum * 256 + byte, 0);
    this.#left = length;
    this.#header = [];
  }
}

/** A server's close frame: code and reason, unmasked. */
export function closeFrame(code, reason) {
  const body = Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
  return Buffer.concat([Buffer.from([0x88, body.length]), body]);
}

/** One upgraded connection: client socket on one side, the version's socket on the other. */
export class Tunnel {
  #frames = new Frames();
  #upgraded = false;
  #pending = Buffer.alloc(0);

  constructor(client, port, handshake, { isWebSocket, onStatus, onEnd }) {
    this.client = client;
    this.isWebSocket = isWebSocket;
    this.onStatus = onStatus;
    this.upstream = net.connect(port, "127.0.0.1", () => {
      this.upstream.write(handshake);
      this.client.on("data", (chunk) => this.#toRuntime(chunk));
    });
    this.upstream.setNoDelay(true);
    client.setNoDelay(true);
    this.upstream.on("data", (chunk) => this.#toClient(chunk));
    this.client.on("drain", () => this.upstream.resume());
    this.upstream.on("drain", () => this.client.resume());
    const end = () => {
      this.#end();
      onEnd();
    };
    this.#onEnd(client, this.upstream, end);
  }

  #onEnd(client, upstream, end) {
    let over = false;
    const once = () => {
      if (over) return;
      over = true;
      end();
    };
    for (const socket of [client, upstream]) {
      socket.on("error", (error) => error.code !== "ECONNRESET" && error.code !== "EPIPE" && log(`upgrade: ${error.message}`));
      socket.on("close", once);
    }
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
  }

  #end() {
    this.client.destroySoon?.();
    this.upstream.destroySoon?.();
  }

  #toRuntime(chunk) {
    if (!this.upstream.write(chunk)) this.client.pause();
  }

  #toClient(chunk) {
    if (!this.#upgraded) {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      const end = this.#pending.indexOf("\r\n\r\n");
      if (end < 0 && this.#pending.length < MAX_HEAD) return;
      this.#upgraded = true;
      this.onStatus(Number(this.#pending.latin1Slice(9, 12)));
      this.#frames.read(this.#pending.subarray(end + 4));
      chunk = this.#pending;
      this.#pending = null;
    } else {
      this.#frames.read(chunk);
    }
    if (!this.client.write(chunk)) this.upstream.pause();
  }

  /** Say 1012 (service restart) to a WebSocket client, then close; other upgrades are just closed. */
  restart() {
    if (this.isWebSocket && this.#upgraded && this.#frames.between) {
      this.client.write(closeFrame(1012, "the sandbox is replacing this Worker"));
    }
    this.client.end();
    this.upstream.destroy();
  }
}

/** The request head to write to the runtime. */
export function handshake(req, path, headers) {
  let head = `${req.method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return Buffer.from(`${head}\r\n`, "latin1");
}
