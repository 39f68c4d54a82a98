// One HTTP request from a client to one version's socket and back, streamed both ways.
import { outbound } from "./headers.mjs";
import { miss } from "./pages.mjs";

// A body up to this size that came in one piece is sent together with its head: one system call instead of a gather.
const SMALL = 16_384;
// What workerd itself writes when a Worker threw: no headers of its own and exactly this body.
const THREW = "Internal Server Error";
const CONNECTION_ERRORS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_CLOSED", "UND_ERR_DESTROYED", "UND_ERR_CONNECT_TIMEOUT"]);

const hasBody = (req) => req.headers["content-length"] > 0 || req.headers["transfer-encoding"] !== undefined;

/** Reads undici's events for one exchange; `done(outcome)` is called exactly once. */
class Exchange {
  #paused = null;
  #thrown = null;
  #threw = false;
  #finished = false;
  #abort = null;
  #length = -1;
  #small = null;

  constructor(req, res, ray, foreign, done) {
    this.foreign = foreign;
    this.req = req;
    this.res = res;
    this.ray = ray;
    this.done = done;
    this.started = false;
    res.on("close", this.#onClose);
  }

  #onDrain = () => {
    const resume = this.#paused;
    this.#paused = null;
    resume?.();
  };

  #onClose = () => {
    if (this.#finished) return;
    this.#finish({ status: 499, aborted: true });
    this.#abort?.(new Error("the client went away"));
  };

  #finish(outcome) {
    if (this.#finished) return;
    this.#finished = true;
    this.res.off("close", this.#onClose);
    this.done(outcome);
  }

  /** End the exchange from outside (the drain bound is over). */
  cut() {
    if (this.#finished) return;
    this.#finish({ status: 502, cut: true });
    this.#abort?.(new Error("the runtime is being replaced"));
    this.res.destroy();
  }

  onConnect(abort) {
    if (this.#finished) abort(new Error("the client went away"));
    else this.#abort = abort;
  }

  onHeaders(status, rawHeaders, resume, statusText) {
    if (status < 200) {
      if (status === 103) this.res.writeEarlyHints(Object.fromEntries([["link", linkOf(rawHeaders)]]));
      return true;
    }
    this.started = true;
    this.status = status;
    this.resume = resume;
    if (!this.foreign && status === 500 && statusText === THREW && bareFailure(rawHeaders)) this.#thrown = [];
    else this.#head(rawHeaders, statusText);
    this.raw = rawHeaders;
    this.statusText = statusText;
    return true;
  }

  #head(rawHeaders, statusText) {
    this.#length = lengthOf(rawHeaders);
    const headers = outbound(rawHeaders, this.ray);
    if (this.req.access?.cookie !== undefined) headers.push("Set-Cookie", this.req.access.cookie);
    this.res.writeHead(this.status, statusText, headers);
    // A stream's headers go out before its first chunk: an event stream may stay silent for a while.
    if (this.#length < 0 && this.req.method !== "HEAD") this.res.flushHeaders();
  }

  onData(chunk) {
    if (this.#thrown !== null) {
      this.#thrown.push(chunk);
      return true;
    }
    if (chunk.length === this.#length && chunk.length <= SMALL) {
      this.#small = chunk.latin1Slice();
      return true;
    }
    if (this.res.write(chunk)) return true;
    this.#paused = this.resume;
    this.res.once("drain", this.#onDrain);
    return false;
  }

  onComplete() {
    if (this.#thrown !== null) this.#afterThrow();
    else if (this.#small === null) this.res.end();
    else this.res.end(this.#small, "latin1");
    this.#finish({ status: this.status, threw: this.#threw });
  }

  #afterThrow() {
    const body = Buffer.concat(this.#thrown);
    if (body.length === 0 || body.latin1Slice() === THREW) {
      this.#threw = true;
      miss(this.req, this.res, "threw", "", this.ray);
      return;
    }
    this.#head(this.raw, this.statusText);
    this.res.end(body);
  }

  onError(error) {
    if (this.#finished) return;
    if (this.started && this.#thrown === null) {
      this.#finish({ status: 502, error });
      this.res.destroy(error);
      return;
    }
    this.#finish({ error, lost: CONNECTION_ERRORS.has(error.code), retry: !this.started && !hasBody(this.req) });
  }
}

// Exactly the headers of workerd's own failure answer.
function bareFailure(rawHeaders) {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].latin1Slice().toLowerCase();
    if (name !== "connection" && name !== "content-length") return false;
  }
  return true;
}

function lengthOf(rawHeaders) {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name.length === 14 && name.latin1Slice().toLowerCase() === "content-length") return Number(rawHeaders[i + 1].latin1Slice());
  }
  return -1;
}

function linkOf(rawHeaders) {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].latin1Slice().toLowerCase() === "link") return rawHeaders[i + 1].latin1Slice();
  }
  return [];
}

/**
 * Send `req` through `pool`; answers with what became of it: `{status}`, or `{error, lost, retry}` when nothing was
 * written to the client yet and the caller should decide. `track` is told of the exchange while it runs. A `foreign` server is
 * not the runtime: its failures are its own.
 */
export function forward(pool, req, res, { path, headers, ray, track, done, foreign = false }) {
  const exchange = new Exchange(req, res, ray, foreign, (outcome) => {
    track.delete(exchange);
    done(outcome);
  });
  track.add(exchange);
  try {
    pool.dispatch({ path, method: req.method, headers, body: hasBody(req) ? req : null }, exchange);
  } catch (error) {
    exchange.onError(error);
  }
}
