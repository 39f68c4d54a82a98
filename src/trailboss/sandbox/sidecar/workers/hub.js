// The supervisor's way into the runtime: storage by name, and triggers on any version.
const STORES = { kv: "KV", d1: "D1", r2: "R2" };

function base64(bytes) {
  const view = new Uint8Array(bytes);
  let text = "";
  for (let at = 0; at < view.length; at += 8192) text += String.fromCharCode(...view.subarray(at, at + 8192));
  return btoa(text);
}

const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

function message({ id, timestamp, attempts, content_type: type, body }) {
  const raw = bytes(body);
  const shared = { id, timestamp: new Date(timestamp), attempts: attempts ?? 1 };
  if (type === "v8") return { ...shared, serializedBody: raw };
  if (type === "bytes") return { ...shared, body: raw };
  const text = new TextDecoder().decode(raw);
  return { ...shared, body: type === "json" ? JSON.parse(text) : text };
}

async function queue(worker, { queue: name, messages, metadata }) {
  const result = await worker.queue(name, messages.map(message), metadata);
  return {
    outcome: result.outcome,
    ack_all: result.ackAll,
    retry_batch: { retry: result.retryBatch?.retry ?? false, delay_seconds: result.retryBatch?.delaySeconds },
    explicit_acks: result.explicitAcks ?? [],
    retries: (result.retryMessages ?? []).map((entry) => ({ id: entry.msgId, delay_seconds: entry.delaySeconds })),
  };
}

async function scheduled(worker, { cron, scheduled_time: time }) {
  const result = await worker.scheduled({ cron, scheduledTime: new Date(time ?? Date.now()) });
  return { outcome: result.outcome, no_retry: result.noRetry };
}

export default {
  async fetch(request, env) {
    const store = STORES[request.headers.get("x-hub-store")];
    if (store !== undefined) return env[store].fetch(request);
    const input = await request.json();
    const worker = env[`W${input.index}`];
    try {
      if (input.op === "queue") return Response.json(await queue(worker, input));
      if (input.op === "scheduled") return Response.json(await scheduled(worker, input));
      return Response.json({ error: `unknown operation ${input.op}` }, { status: 400 });
    } catch (error) {
      return Response.json({ outcome: "exception", error: { name: error?.name, message: error?.message ?? String(error) } });
    }
  },
};
