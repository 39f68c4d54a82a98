// The Node side-car: owns Miniflare (and with it workerd), routes public requests to Worker versions, reaches the data.
//
// Started as `node main.mjs`; the first line of standard input is a JSON object (see boot()). When standard input
// closes, everything ends. Python, in ../, is the only caller; the protocol is HTTP on loopback (routes below).
//
// Binding types that load but throw "BindingUnavailableError" when used: browser (no browser is installed),
// ai_search, ai_search_namespace, agent_memory, artifacts, flagship, media, mtls_certificate, vpc_service,
// vpc_network, logfwdr, analytics, messaging, k2; hyperdrive without a local connection string; any binding whose
// target (Worker, class, Workflow) is not deployed. A dispatch namespace answers "Worker not found" for every name.
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
  });
  supervisor = new Supervisor({ runtime, ingress, callbacks, drainMs: config.drain_ms ?? DRAIN_MS });
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
