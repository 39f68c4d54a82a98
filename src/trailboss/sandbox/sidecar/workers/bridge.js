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

/** Calls to a Worker of a dispatch namespace. */
export class Dispatch extends WorkerEntrypoint {
  async fetch(request) {
    const { namespace } = this.ctx.props;
    const script = request.headers.get("x-trailboss-dispatch");
    throw new Error(`Worker not found.${script === null ? "" : ` "${script}" is not in the dispatch namespace "${namespace}" of this sandbox.`}`);
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

// Trace items wait here for at most FLUSH ms, so that a busy Worker costs one message per tick, not per request.
const FLUSH = 40;
let waiting = [];
let timer = null;

async function flush(env) {
  timer = null;
  const items = waiting;
  waiting = [];
  if (items.length > 0) await env.SUPERVISOR.fetch("http://supervisor/trace", { method: "POST", body: JSON.stringify(items) });
}

const EVENT_KEYS = ["cron", "scheduledTime", "queue", "batchSize", "mailFrom", "rcptTo", "rawSize", "rpcMethod", "consumedEvents"];

function headersOf(headers) {
  return headers === undefined ? undefined : Object.fromEntries(Object.entries(headers));
}

function eventOf(event) {
  if (event === null || event === undefined) return null;
  if (event.request !== undefined) {
    const request = { url: event.request.url, method: event.request.method, headers: headersOf(event.request.headers), cf: event.request.cf };
    return { request, response: event.response === undefined ? undefined : { status: event.response.status } };
  }
  const plain = {};
  for (const key of EVENT_KEYS) if (event[key] !== undefined) plain[key] = event[key] instanceof Date ? event[key].getTime() : event[key];
  return plain;
}

function plainItem(item, { script, version }) {
  return {
    script,
    version,
    scriptName: script,
    scriptVersion: { id: version },
    entrypoint: item.entrypoint ?? undefined,
    outcome: item.outcome,
    event: eventOf(item.event),
    eventTimestamp: item.eventTimestamp,
    logs: item.logs.map(({ message, level, timestamp }) => ({ message, level, timestamp })),
    exceptions: item.exceptions.map(({ name, message, stack, timestamp }) => ({ name, message, stack, timestamp })),
    diagnosticsChannelEvents: item.diagnosticsChannelEvents.map(({ channel, message, timestamp }) => ({ channel, message, timestamp })),
    truncated: item.truncated,
    wallTime: item.wallTime,
    cpuTime: item.cpuTime,
    executionModel: item.executionModel,
  };
}

export class Tail extends WorkerEntrypoint {
  async tail(events) {
    for (const item of events) waiting.push(plainItem(item, this.ctx.props));
    if (timer !== null) return;
    timer = scheduler.wait(FLUSH);
    await timer;
    await flush(this.env);
  }
}

export default {
  /** Asked by the supervisor before it replaces the runtime: nothing that waits may be lost. */
  async fetch(_request, env) {
    await scheduler.wait(4);
    await flush(env);
    return new Response("flushed");
  },
};
