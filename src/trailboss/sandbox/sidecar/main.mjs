// The Node side-car: owns Miniflare (and with it workerd), routes public requests to Worker versions, reaches the data.
//
// Started as `node main.mjs`; the first line of standard input is a JSON object: {toolchain, persist, edge: {host, port},
// control: {host, port}, api, token, account: {id, subdomain}, drain_ms?, linger_ms?, traced?}. One line comes back on standard
// output: {"ready": true, "edge_port", "control_port"} or {"ready": false, "error": {message, code}}. When standard input
// closes, everything ends. Python, in ../, is the only caller. The control port speaks JSON, with the bearer token:
//
//   PUT  /state {workers, routing, resources}   live when answered: {reloaded, ms}; 422 {error: {message, script, version}}
//   PUT  /routing                               weights, hosts, routes; reloads only when a Durable Object's host or what a
//                                               service binding leads to changes with it
//   PUT  /trace {scripts: "all" | [name]}       whose traces are posted to api/trace (at first: all); never reloads
//   POST /validate W                            {ok: true, startup_time_ms, handlers, named_handlers, classes: [{name, kind}]}
//                                               or {ok: false, kind, message, summary, stack}; kind is startup,
//                                               missing_export or missing_main
//   POST /trigger/scheduled, /trigger/queue     an event on one version
//   ANY  /data/kv|d1|r2/...                     the stores the bindings use; see data/
//   POST /exclusive/begin, /exclusive/end       the runtime stopped, requests held
//   POST /access {application, claims}          {jwt}: a token as an identity login to that application would give
//   GET  /health, GET /stats, DELETE /stats
//
// Binding types that load but throw "BindingUnavailableError" when used: browser (no browser is installed), ai_search,
// ai_search_namespace, agent_memory, artifacts, flagship, media, mtls_certificate, vpc_service, vpc_network, logfwdr,
// analytics, messaging, k2, every unknown type; hyperdrive without `localConnectionString`; any binding whose target
// (Worker, class, Workflow) is not deployed. A dispatch namespace
// reaches its user Workers by fetch; arguments, limits and outbound Workers are not applied.
// pipelines take what is written and keep nothing.
import readline from "node:readline";
import { Callbacks } from "./callbacks.mjs";
import { ControlServer } from "./control/server.mjs";
import { routes } from "./control/routes.mjs";
import { Ingress } from "./edge/ingress.mjs";
import { suffixes } from "./edge/routes.mjs";
import { log } from "./errors.mjs";
import { guard } from "./runtime/guard.mjs";
import { Runtime } from "./runtime/runtime.mjs";
import { Validator } from "./runtime/validate.mjs";
import { Supervisor } from "./supervisor.mjs";
import * as toolchain from "./toolchain.mjs";

const DRAIN_MS = 2000;
const LINGER_MS = 10_000;

function firstLine() {
  const lines = readline.createInterface({ input: process.stdin });
  return new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error("standard input closed before the start-up line")));
  });
}

async function boot() {
  const config = JSON.parse(await firstLine());
  toolchain.use(config.toolchain);
  guard();
  const callbacks = new Callbacks(config);
  const control = new ControlServer(config.token);
  const controlPort = await control.listen(config.control ?? {});
  const validator = new Validator();
  let supervisor;
  const runtime = new Runtime({
    persist: config.persist,
    api: config.api,
    token: config.token,
    traced: config.traced ?? true,
    suffixes: suffixes(config.account.subdomain),
    edge: () => ingress.url,
    onCrash: () => supervisor.crashed(),
    onRestart: () => supervisor.restarted(),
  });
  const ingress = new Ingress({
    subdomain: config.account.subdomain,
    previews: (script, prefix) => supervisor.preview(script, prefix),
    recover: () => supervisor.recover(),
    ask: (path, body) => callbacks.ask(path, body),
  });
  supervisor = new Supervisor({ runtime, ingress, callbacks, drainMs: config.drain_ms ?? DRAIN_MS, lingerMs: config.linger_ms ?? LINGER_MS });
  routes(control, { supervisor, runtime, ingress, validator, config });
  const edgePort = await ingress.listen(config.edge);
  endWithInput(async () => {
    control.close();
    await Promise.all([supervisor.stop(), validator.close()]);
  });
  process.stdout.write(`${JSON.stringify({ ready: true, edge_port: edgePort, control_port: controlPort })}\n`);
  // The first PUT /state or data access starts the runtime; loading Miniflare's code need not wait for it.
  setImmediate(toolchain.miniflare);
}

function endWithInput(stop) {
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    // Miniflare also kills workerd when this process exits; the timer is for a dispose that never settles.
    setTimeout(() => process.exit(0), 3000).unref();
    await stop().catch((error) => log(`stop: ${error.message}`));
    process.exit(0);
  };
  process.stdin.on("end", end);
  process.stdin.on("close", end);
  process.stdin.resume();
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, end);
}

process.on("unhandledRejection", (error) => log(`unhandled: ${error?.stack ?? error}`));

boot().catch((error) => {
  process.stdout.write(`${JSON.stringify({ ready: false, error: { message: error.message, code: error.code } })}\n`);
  process.exitCode = 1;
  process.exit();
});
