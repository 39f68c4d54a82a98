// Who is told of an invocation: the live tails, by way of the bridge, and the Tail Workers a Worker names.
import { readFileSync } from "node:fs";
import { BRIDGE } from "./bindings.mjs";

const SOURCE = readFileSync(new URL("../workers/tailing.js", import.meta.url), "utf8");
const SHIM = "trailboss-tailing.js";

/** What a trace item says of the Worker it comes from: as Cloudflare, `tag` and `message` only where there are any. */
export function identity(worker, net) {
  const { namespace, name } = net.routing.dispatch?.[worker.script] ?? { name: worker.script };
  const said = { tag: worker.tag || undefined, message: worker.message || undefined };
  return { scriptName: name, scriptVersion: { id: worker.version, ...said }, ...(namespace === undefined ? {} : { dispatchNamespace: namespace }) };
}

/** Miniflare's `tailConsumers` of one version. */
export function tails(worker, net, traced) {
  const tailed = identity(worker, net);
  const list = traced ? [{ worker: BRIDGE, entrypoint: "Tail", props: { script: worker.script, version: worker.version, tailed } }] : [];
  for (const consumer of worker.tail_consumers ?? []) {
    // A router before two versions passes requests, not trace items: those go to the version with the larger share.
    const target = net.hostOf(consumer.service);
    if (target !== undefined) list.push({ worker: target.name, props: { tailed } });
  }
  return list;
}

/** The modules of a Worker that is somebody's Tail Worker, so that the items it gets are complete. */
export function completed(worker, modules, net) {
  const main = modules.modules[modules.mainModule];
  if (!net.consumers.has(worker.script) || main?.type !== "esm") return modules;
  const contents = SOURCE.replaceAll('"MAIN"', () => JSON.stringify(`./${modules.mainModule}`));
  return { ...modules, mainModule: SHIM, modules: { ...modules.modules, [SHIM]: { type: "esm", contents } } };
}
