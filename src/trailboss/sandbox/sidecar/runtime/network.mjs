// Who hosts what: versions as named Workers, the current deployment behind a service binding, Durable Object hosts.
import { createHash } from "node:crypto";
import { largest } from "../edge/choose.mjs";

export const workerName = (worker) => `${worker.script}@${worker.version}`;

export class Network {
  /** Router Workers asked for so far, by name: `{script, entrypoint, props, versions}`. */
  routers = new Map();
  /** Scripts that others name as their Tail Worker. */
  consumers = new Set();
  /** Scripts that others reach by a binding. */
  #called = new Set();
  #byName = new Map();
  #owners = new Map();

  constructor(workers, routing) {
    this.routing = routing;
    for (const worker of workers) {
      this.#byName.set(workerName(worker), worker);
      for (const entry of worker.durable_objects ?? []) {
        this.#owners.set(entry.namespace_id, { script: worker.script, class_name: entry.class_name });
      }
      for (const { service } of worker.tail_consumers ?? []) this.consumers.add(service);
      for (const { type, service } of worker.bindings ?? []) if (type === "service") this.#called.add(service);
    }
    for (const script of Object.keys(routing.dispatch ?? {})) this.#called.add(script);
  }

  /** The versions of the current deployment that are loaded. */
  deployed(script) {
    const versions = this.routing.scripts?.[script]?.versions ?? [];
    return versions.filter((entry) => this.#byName.has(`${script}@${entry.version}`));
  }

  hostOf(script) {
    const version = largest(this.deployed(script));
    if (version === undefined) return undefined;
    const name = `${script}@${version}`;
    return { name, worker: this.#byName.get(name) };
  }

  ownerOf(namespaceId) {
    return this.#owners.get(namespaceId);
  }

  /** Where a service binding leads: the one deployed version, or a router before the two. */
  service(script, entrypoint, props) {
    const versions = this.deployed(script);
    if (versions.length === 0) return undefined;
    const wanted = entrypoint === undefined || entrypoint === "default" ? undefined : entrypoint;
    if (versions.length === 1) return { worker: `${script}@${versions[0].version}`, entrypoint: wanted, props };
    const digest = createHash("sha256").update(JSON.stringify([script, wanted, props])).digest("hex").slice(0, 12);
    const name = `trailboss-router-${digest}`;
    this.routers.set(name, { script, entrypoint: wanted, props, versions: versions.map((entry) => entry.version) });
    return { worker: name, entrypoint: "Split", props: undefined };
  }

  weights(router) {
    const versions = this.routing.scripts?.[router.script]?.versions ?? [];
    return router.versions.map((id) => versions.find((entry) => entry.version === id)?.percentage ?? 0);
  }

  /** What of the routing is built into the runtime: a change here needs a reload, any other does not. */
  wiring() {
    const scripts = [...new Set([...this.#byName.values()].map((worker) => worker.script))].sort();
    return scripts.map((script) => [script, this.#leads(script), this.#hosts(script)]);
  }

  #leads(script) {
    return this.#called.has(script) ? this.deployed(script).map((entry) => entry.version).sort() : [];
  }

  #hosts(script) {
    const host = this.hostOf(script);
    const needed = this.consumers.has(script) || [...this.#byName.values()].some((worker) => worker.script === script && (worker.durable_objects?.length || worker.workflows?.length));
    return needed ? host?.name : undefined;
  }
}
