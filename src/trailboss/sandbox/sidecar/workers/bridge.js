// Bindings that are answered outside the runtime, and the tail consumer. One entrypoint per kind; which resource is
// meant travels in the binding's props.
import { WorkerEntrypoint } from "cloudflare:workers";

const FORMATS = { text: "text", bytes: "bytes", json: "json", v8: "v8" };

function base64(view) {
  let text = "";
  for (let at = 0; at < view.length; at += 8192) text += String.fromCharCode(...view.subarray(at, at + 8192));
  return btoa(text);
}

async function call(env, path, body) {
  const response = await env.CONTROL.fetch(`http://control${path}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  if (response.ok) return response;
  throw new Error(`${path} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
}

/** A queue producer: the runtime's `send` and `sendBatch` arrive as POST /message and POST /batch. */
export class Queue extends WorkerEntrypoint {
  async fetch(request) {
    const { queue, delay } = this.ctx.props;
    const path = new URL(request.url).pathname;
    const seconds = Number(request.headers.get("X-Msg-Delay-Secs") ?? delay ?? 0);
    let messages;
    if (path === "/batch") {
      const batch = await request.json();
      messages = batch.messages.map((one) => ({ content_type: FORMATS[one.contentType] ?? "v8", body: one.body, delay_seconds: one.delaySecs ?? seconds }));
    } else {
      const body = base64(new Uint8Array(await request.arrayBuffer()));
      messages = [{ content_type: FORMATS[request.headers.get("X-Msg-Fmt")] ?? "v8", body, delay_seconds: seconds }];
    }
    const answer = await call(this.env, `/bindings/queue/${encodeURIComponent(queue)}`, { messages });
    const metrics = (await answer.json().catch(() => null))?.metrics;
    return Response.json({ metadata: { metrics: metrics ?? { backlogCount: 0, backlogBytes: 0 } } });
  }
}

/** A binding whose every request goes to the control plane as it is: Vectorize, Workers AI. */
export class Relay extends WorkerEntrypoint {
  async fetch(request) {
    const { path } = this.ctx.props;
    const from = new URL(request.url);
    return this.env.CONTROL.fetch(`http://control${path}${from.pathname}${from.search}`, request);
  }
}

/** A Secrets Store secret: `await env.NAME.get()`. */
export class Secret extends WorkerEntrypoint {
  get() {
    const { name, value } = this.ctx.props;
    if (value === null || value === undefined) throw new Error(`Secret "${name}" not found`);
    return value;
  }
}

/** Calls to a Worker of a dispatch namespace; each has a binding of this Worker. */
export class Dispatch extends WorkerEntrypoint {
  async fetch(request) {
    const { namespace } = this.ctx.props;
    const wanted = new Request(request);
    const worker = this.env[`dispatch:${namespace}/${wanted.headers.get("x-trailboss-dispatch")}`];
    if (worker === undefined) throw new Error("Worker not found.");
    wanted.headers.delete("x-trailboss-dispatch");
    return worker.fetch(wanted);
  }
}

/** What stands in for a binding the sandbox cannot run: it loads, and says why when it is used. */
export class Unavailable extends WorkerEntrypoint {
  constructor(ctx, env) {
    super(ctx, env);
    const fail = () => {
      const { name, type, why } = ctx.props;
      const error = new Error(`The binding "${name}" (${type}) does not run in this sandbox: ${why}`);
      error.name = "BindingUnavailableError";
      throw error;
    };
    return new Proxy(this, { get: (target, key) => (Reflect.has(target, key) && key !== "fetch" ? Reflect.get(target, key) : fail) });
  }

  fetch() {
    return undefined;
  }
}

// Trace items wait here for at most FLUSH ms, so that a busy Worker costs one message per tick, not per request; the
// oldest go when the control plane falls behind. `listening` is true (every script) or the set of scripts asked for.
const FLUSH = 40;
const KEPT = 20_000;
const BATCH = 1000;
let waiting = [];
let flushing = false;
let listening = null;

function listen(scripts) {
  listening = scripts === "all" ? true : new Set(scripts);
}

async function deliver(env) {
  while (waiting.length > 0) {
    const batch = waiting.splice(0, BATCH);
    await call(env, "/trace", batch);
  }
}

// Runs in the context of the first event that found nothing pending; the others only leave their item.
async function flush(env) {
  flushing = true;
  try {
    do {
      await scheduler.wait(FLUSH);
      await deliver(env);
    } while (waiting.length > 0);
  } finally {
    flushing = false;
  }
}

const EVENT_KEYS = ["cron", "scheduledTime", "queue", "batchSize", "mailFrom", "rcptTo", "rawSize", "rpcMethod", "consumedEvents", "getWebSocketEvent"];

function plainRequest(request) {
  return { url: request.url, method: request.method, headers: { ...request.headers }, cf: request.cf };
}

function eventOf(event) {
  if (event === null || event === undefined) return null;
  if (event.request !== undefined) {
    const response = event.response;
    return { request: plainRequest(event.request), response: response === undefined ? undefined : { status: response.status } };
  }
  const plain = {};
  for (const key of EVENT_KEYS) if (event[key] !== undefined) plain[key] = event[key];
  return plain;
}

// Module names are resolved against the root of the file system inside the runtime; users know them without it.
const own = (text) => (typeof text === "string" ? text.replaceAll("file:///", "") : text);

function plainItem(item, { script, version, tailed }) {
  return {
    script,
    version,
    ...tailed,
    entrypoint: item.entrypoint ?? undefined,
    outcome: item.outcome,
    event: eventOf(item.event),
    eventTimestamp: item.eventTimestamp,
    logs: item.logs.map(({ message, level, timestamp }) => ({ message, level, timestamp })),
    exceptions: item.exceptions.map(({ name, message, stack, timestamp }) => ({ name, message, stack: own(stack), timestamp })),
    diagnosticsChannelEvents: item.diagnosticsChannelEvents.map(({ channel, message, timestamp }) => ({ channel, message, timestamp })),
    truncated: item.truncated,
    // Local workerd measures neither; a nought would read as a measurement.
    wallTime: item.wallTime || undefined,
    cpuTime: item.cpuTime || undefined,
    executionModel: item.executionModel,
  };
}

export class Tail extends WorkerEntrypoint {
  async tail(events) {
    if (listening === null) listen(this.env.LISTENING);
    const { props } = this.ctx;
    if (listening !== true && !listening.has(props.script)) return;
    for (const item of events) waiting.push(plainItem(item, props));
    if (waiting.length > KEPT) waiting.splice(0, waiting.length - KEPT);
    if (!flushing) await flush(this.env);
  }
}

export default {
  /** The supervisor asks for what waits before it replaces the runtime (GET), and says who is listened to (POST). */
  async fetch(request, env) {
    if (request.method === "POST") {
      listen(await request.json());
    } else {
      await scheduler.wait(4);
      await deliver(env);
    }
    return new Response("done");
  },
};
