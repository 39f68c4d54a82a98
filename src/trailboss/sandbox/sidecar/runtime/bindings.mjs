// Cloudflare's binding objects -> Miniflare's. One small function per type; README comment in main.mjs lists the
// types that load but cannot run.
import { fileURLToPath } from "node:url";
import { part } from "./modules.mjs";
import { PLUGIN } from "./plugin.mjs";

const PLUGIN_FILE = fileURLToPath(new URL("./plugin.mjs", import.meta.url));
export const BRIDGE = "trailboss-bridge";
export const HUB = "trailboss-hub";
export const OUTBOUND = "trailboss-outbound";

/** A binding given to workerd as it is. */
export const raw = (value) => ({ type: `unsafe:${PLUGIN}`, dev: { plugin: { package: PLUGIN_FILE, name: PLUGIN }, options: { raw: value } } });
const user = (worker) => `core:user:${worker}`;
const bridge = (entrypoint, props) => ({ name: user(BRIDGE), entrypoint, props: { json: JSON.stringify(props) } });
const bridged = (entrypoint, props) => raw({ service: bridge(entrypoint, props) });
const relay = (path) => ({ name: "fetcher", service: bridge("Relay", { path }) });

export const unavailable = (binding, why) => bridged("Unavailable", { name: binding.name, type: binding.type, why });

const NOT_HERE = {
  browser: "no browser is installed for it",
  ai_search: "AI Search has no local implementation",
  ai_search_namespace: "AI Search has no local implementation",
  agent_memory: "Agent Memory has no local implementation",
  artifacts: "Artifacts has no local implementation here",
  flagship: "Flagship flags are not served by this sandbox",
  logfwdr: "log forwarding is internal to Cloudflare",
  analytics: "it is internal to Cloudflare",
  messaging: "it has no local implementation",
  k2: "it has no local implementation",
  media: "media transformations have no local implementation",
  mtls_certificate: "client certificates are presented by Cloudflare's edge; local fetches cannot present one",
  vpc_service: "private networks are reached through Cloudflare's edge",
  vpc_network: "private networks are reached through Cloudflare's edge",
};

// workerd's enumeration; its order is part of its format.
const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

function crypto(b) {
  const usages = (b.usages ?? []).map((usage) => USAGES.indexOf(usage));
  const algorithm = typeof b.algorithm === "string" ? { name: b.algorithm } : { json: JSON.stringify(b.algorithm) };
  const shared = { algorithm, usages, extractable: false };
  if (b.format === "jwk") return raw({ cryptoKey: { ...shared, jwk: JSON.stringify(b.key_jwk) } });
  const key = b.key_base64;
  if (b.format === "raw") return raw({ cryptoKey: { ...shared, base64: key } });
  const label = b.format === "pkcs8" ? "PRIVATE KEY" : "PUBLIC KEY";
  const pem = `-----BEGIN ${label}-----\n${key.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----`;
  return raw({ cryptoKey: { ...shared, [b.format === "pkcs8" ? "pkcs8" : "spki"]: pem } });
}

function durableObject(b, { net, script }) {
  // The namespace first: a class may have been renamed or moved since the binding was made.
  const found = net.ownerOf(b.namespace_id);
  const owner = found?.script ?? b.script_name ?? script;
  const className = found?.class_name ?? b.class_name;
  const host = net.hostOf(owner);
  if (host === undefined) return unavailable(b, `the Worker "${owner}" that implements ${className} is not deployed`);
  if (!host.worker.durable_objects?.some((entry) => entry.class_name === className)) {
    return unavailable(b, `the deployed version of "${owner}" has no Durable Object class ${className}`);
  }
  return { type: "durable-object", worker: host.name, exportName: className };
}

function workflow(b, { net, script }) {
  const owner = b.script_name ?? script;
  const host = net.hostOf(owner);
  if (host === undefined) return unavailable(b, `the Worker "${owner}" that implements it is not deployed`);
  const className = b.class_name ?? host.worker.workflows?.find((entry) => entry.name === b.workflow_name)?.class_name;
  if (className === undefined) return unavailable(b, `no Workflow named "${b.workflow_name}" is registered`);
  if (host.worker.exports?.includes(className) === false) return unavailable(b, `the deployed version of "${owner}" has no class ${className}`);
  return { type: "workflow", name: b.workflow_name, worker: host.name, exportName: className };
}

function service(b, { net }) {
  const target = net.service(b.service, b.entrypoint, b.props);
  if (target === undefined) return unavailable(b, `the Worker "${b.service}" is not deployed`);
  return { type: "worker", worker: target.worker, exportName: target.entrypoint, props: target.props };
}

const MAPPERS = {
  plain_text: (b) => ({ type: "text", value: b.text ?? "" }),
  secret_text: (b) => ({ type: "text", value: b.text ?? "" }),
  json: (b) => ({ type: "json", value: b.json ?? null }),
  secret_key: crypto,
  kv_namespace: (b) => ({ type: "kv", id: b.namespace_id }),
  d1: (b) => ({ type: "d1", id: b.id ?? b.database_id }),
  r2_bucket: (b) => ({ type: "r2", name: b.bucket_name }),
  queue: (b) => raw({ queue: bridge("Queue", { queue: b.queue_name, delay: b.delivery_delay }) }),
  durable_object_namespace: durableObject,
  service,
  workflow,
  analytics_engine: (b) => raw({ wrapped: { moduleName: "trailboss:analytics-engine", innerBindings: [relay(`/bindings/analytics_engine/${encodeURIComponent(b.dataset ?? b.name)}`)] } }),
  version_metadata: (_b, { worker }) => ({ type: "json", value: { id: worker.version, tag: worker.tag ?? "", timestamp: worker.created_on ?? "1970-01-01T00:00:00.000Z" } }),
  assets: (b, { worker }) => (worker.assets ? { type: "assets" } : unavailable(b, "this version has no static assets")),
  images: () => ({ type: "images" }),
  stream: () => ({ type: "stream" }),
  worker_loader: () => ({ type: "worker-loader" }),
  ratelimit: (b) => ({ type: "rate-limit", namespace: String(b.namespace_id), simple: { limit: b.simple.limit, period: b.simple.period } }),
  send_email: (b) => ({
    type: "send-email",
    ...(b.destination_address ? { destinationAddress: b.destination_address } : {}),
    ...(b.allowed_destination_addresses?.length ? { allowedDestinationAddresses: b.allowed_destination_addresses } : {}),
    ...(b.allowed_sender_addresses?.length ? { allowedSenderAddresses: b.allowed_sender_addresses } : {}),
  }),
  hyperdrive: (b) =>
    b.localConnectionString
      ? { type: "hyperdrive", id: b.id, dev: { connectionString: b.localConnectionString } }
      : unavailable(b, "no local connection string is set for this configuration"),
  vectorize: (b) =>
    raw({
      wrapped: {
        moduleName: "cloudflare-internal:vectorize-api",
        innerBindings: [relay(`/bindings/vectorize/${encodeURIComponent(b.index_name)}`), { name: "indexId", text: b.index_name }, { name: "indexVersion", text: "v2" }, { name: "useNdJson", json: "true" }],
      },
    }),
  ai: () => raw({ wrapped: { moduleName: "cloudflare-internal:ai-api", innerBindings: [relay("/bindings/ai")] } }),
  secrets_store_secret: (b) => bridged("Secret", { name: b.secret_name, value: b.text ?? b.value ?? null }),
  dispatch_namespace: (b) =>
    raw({ wrapped: { moduleName: "trailboss:dispatch-namespace", innerBindings: [{ name: "fetcher", service: bridge("Dispatch", { namespace: b.namespace }) }] } }),
  pipelines: (b) => ({ type: "pipeline", streamId: b.stream ?? b.pipeline }),
};

/** `{env, legacy}` of one Worker. `net` answers who hosts what (see network.mjs). */
export async function bindings(worker, net) {
  const env = {};
  const legacy = {};
  for (const b of worker.bindings ?? []) {
    const blob = await partBinding(worker, b, legacy);
    if (blob) continue;
    env[b.name] = map(b, { net, worker, script: worker.script });
  }
  return { env, legacy };
}

function map(b, context) {
  const mapper = MAPPERS[b.type];
  if (mapper === undefined) return unavailable(b, NOT_HERE[b.type] ?? "this sandbox does not know the type");
  try {
    return mapper(b, context);
  } catch (error) {
    return unavailable(b, `its settings are incomplete (${error.message})`);
  }
}

/** Service-worker Workers carry wasm, text and data as bindings on uploaded parts. */
export async function partBinding(worker, b, legacy) {
  if (b.type !== "wasm_module" && b.type !== "text_blob" && b.type !== "data_blob") return false;
  const found = await part(worker, b.part ?? b.name);
  if (found === undefined) return false;
  if (b.type === "wasm_module") (legacy.wasmBindings ??= {})[b.name] = found.bytes;
  else if (b.type === "text_blob") (legacy.textBlobBindings ??= {})[b.name] = found.path;
  else (legacy.dataBlobBindings ??= {})[b.name] = found.bytes;
  return true;
}
