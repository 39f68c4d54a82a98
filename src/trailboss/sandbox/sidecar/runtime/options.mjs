// Everything this house knows of Miniflare 5's options, besides bindings.mjs and plugin.mjs beside it.
import { readFileSync } from "node:fs";
import path from "node:path";
import { assetOptions } from "./assets.mjs";
import { BRIDGE, HUB, OUTBOUND, bindings, raw } from "./bindings.mjs";
import { mainText, manifest } from "./modules.mjs";
import { Network, workerName } from "./network.mjs";
import { completed, tails } from "./tails.mjs";

const INTERNAL_DATE = "2026-01-01";
const OLDEST_DATE = "2021-11-02";
const source = (name) => readFileSync(new URL(`../workers/${name}.js`, import.meta.url), "utf8");
const SOURCES = { hub: source("hub"), bridge: source("bridge"), outbound: source("outbound"), router: source("router") };
// `proxy` makes the socket read the whole URL from the request line, so scheme and host survive.
const SOCKET = [{ host: "127.0.0.1", proxy: true }];

export function internal(name, code, env, flags = []) {
  return {
    config: {
      name,
      compatibilityDate: INTERNAL_DATE,
      compatibilityFlags: flags,
      manifest: { mainModule: `${name}.js`, modulesRoot: "/", modules: { [`${name}.js`]: { type: "esm", contents: code } } },
      env,
    },
    dev: { unsafeDirectSockets: [{ host: "127.0.0.1" }], cacheAPI: false },
  };
}

const external = (url, headers) => ({
  type: "external",
  address: new URL(url).host,
  http: { injectRequestHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })) },
});

// The three stores are named by header, so a new namespace, database or bucket needs no reload. The bindings on
// "trailboss" make Miniflare start the stores even when no Worker uses one.
function hub(names) {
  const env = {
    _KV: { type: "kv", id: "trailboss" },
    _D1: { type: "d1", id: "trailboss" },
    _R2: { type: "r2", name: "trailboss" },
    KV: raw({ service: { name: "kv:ns:entry" } }),
    D1: raw({ service: { name: "d1:db:entry" } }),
    R2: raw({ service: { name: "r2:bucket:entry" } }),
  };
  // Miniflare leads every plain binding to a Worker with assets through its assets router, which knows no queue events.
  names.forEach((worker, index) => (env[`W${index}`] = raw({ wrapped: { moduleName: "trailboss:direct", innerBindings: [{ name: "worker", service: { name: `core:user:${worker}` } }] } })));
  return internal(HUB, SOURCES.hub, env, ["service_binding_extra_handlers"]);
}

function bridge({ api, token, listening }, routing, net) {
  const authorization = `Bearer ${token}`;
  const base = new URL(api).pathname.replace(/\/$/, "");
  const prefixed = SOURCES.bridge.replaceAll("http://control", `http://control${base}`);
  const env = { CONTROL: external(api, { authorization }), LISTENING: { type: "json", value: listening ?? "all" } };
  for (const [script, { namespace, name }] of Object.entries(routing.dispatch ?? {})) {
    const target = net.service(script, undefined, undefined);
    if (target !== undefined) env[`dispatch:${namespace}/${name}`] = { type: "worker", worker: target.worker, exportName: target.entrypoint };
  }
  return internal(BRIDGE, prefixed, env);
}

function outbound({ edge, suffixes }, routing) {
  const env = {
    EDGE: external(edge(), {}),
    SUFFIXES: { type: "json", value: suffixes },
    HOSTS: { type: "json", value: servedHosts(routing) },
  };
  // Raw sockets (`connect()`) are passed to the network untouched.
  return internal(OUTBOUND, SOURCES.outbound, env, ["connect_pass_through", "experimental"]);
}

/**
 * The custom domains, tunnels and Access pages that are answered here. Zone routes are not: a Worker on a route that fetches its own zone
 * means the origin.
 */
export function servedHosts(routing) {
  const domains = (routing.hosts ?? []).filter((entry) => entry.enabled !== false).map((entry) => entry.hostname);
  const team = routing.access?.team === undefined ? [] : [routing.access.team];
  return [...domains, ...Object.keys(routing.tunnels?.hosts ?? {}), ...team];
}

function router(name, entry, weights) {
  const env = { WEIGHTS: { type: "json", value: weights } };
  entry.versions.forEach((version, at) => {
    env[`V${at}`] = { type: "worker", worker: `${entry.script}@${version}`, exportName: entry.entrypoint, props: entry.props };
  });
  return internal(name, SOURCES.router, env);
}

function exported(worker, net) {
  const entries = {};
  if (net.hostOf(worker.script)?.name !== workerName(worker)) return entries;
  for (const entry of worker.durable_objects ?? []) {
    entries[entry.class_name] = { type: "durable-object", storage: entry.sqlite ? "sqlite" : "legacy-kv", unsafeUniqueKey: entry.namespace_id };
  }
  return entries;
}

const ASSETS_ONLY = "export default { fetch() { return new Response(null, { status: 404 }); } };";

async function code(worker, net) {
  if (worker.format === "service-worker") return { legacy: { serviceWorkerScript: await mainText(worker), serviceWorkerScriptPath: `/${worker.main}` } };
  if (worker.format !== "assets") return { manifest: completed(worker, await manifest(worker), net) };
  return { manifest: { mainModule: "index.js", modulesRoot: "/", modules: { "index.js": { type: "esm", contents: ASSETS_ONLY } } } };
}

// A date later than the runtime's own would be refused; the account's clock may run ahead of it.
export function compatibilityDate(date) {
  const today = new Date().toISOString().slice(0, 10);
  return !date ? OLDEST_DATE : date > today ? today : date;
}

/** One version as a Miniflare Worker. */
export async function versionWorker(worker, net, { traced = true, persist } = {}) {
  const { env, legacy: parts } = await bindings(worker, net);
  const { manifest: modules, legacy } = await code(worker, net);
  const config = {
    name: workerName(worker),
    compatibilityDate: compatibilityDate(worker.compatibility_date),
    compatibilityFlags: worker.compatibility_flags ?? [],
    env,
    exports: exported(worker, net),
    tailConsumers: tails(worker, net, traced),
  };
  if (modules !== undefined) config.manifest = modules;
  if (worker.assets) config.assets = await assetOptions(worker, persist);
  const everything = { ...legacy, ...parts };
  return {
    config,
    ...(Object.keys(everything).length > 0 ? { legacy: everything } : {}),
    dev: { unsafeDirectSockets: SOCKET, zone: `${worker.script}.example.com`, outboundService: { type: "worker", worker: OUTBOUND } },
  };
}

/** The whole account: `{options, names, routers}`; `names[i]` is the hub's Worker number i. */
export async function account(workers, routing, settings) {
  const net = new Network(workers, routing);
  const versions = [];
  const broken = [];
  for (const worker of workers) versions.push(await versionWorker(worker, net, settings));
  const names = workers.map(workerName);
  const relay = bridge(settings, routing, net);
  const routers = [...net.routers].map(([name, entry]) => router(name, entry, net.weights(entry)));
  const options = {
    ...instance(settings),
    workers: [hub(names), relay, outbound(settings, routing), ...versions, ...routers],
  };
  return { options, names, broken, net };
}

/** The options of one Miniflare instance, without its Workers. */
export function instance({ persist, log, onLog, onRestart }) {
  return {
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: path.join(persist, "v3"),
    isolatedResourcePersistencePath: path.join(persist, "v3"),
    enableDevRegistry: false,
    telemetry: { enabled: false },
    logRequests: false,
    cf: false,
    log,
    handleStructuredLogs: onLog,
    unsafeHandleRuntimeRestart: onRestart,
  };
}
