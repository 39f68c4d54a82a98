// The declared state, and the orderly way from one to the next: hold, drain, swap, resume.
import { setTimeout as sleep } from "node:timers/promises";
import { at } from "./edge/choose.mjs";
import { Refused, log } from "./errors.mjs";
import { Lingering } from "./runtime/lingering.mjs";
import { Network } from "./runtime/network.mjs";

const EMPTY = { workers: [], routing: { scripts: {}, hosts: [], routes: [] }, resources: {} };
const PREVIEWS = 8;
// How long a Worker may go on after its answer, on Cloudflare.
const WAIT_UNTIL_MS = 30_000;
const [SETTLED_MS, SETTLE_MS] = [500, 30];

export class Supervisor {
  #declared = EMPTY;
  #live = { workers: [], routing: EMPTY.routing, print: null };
  #previews = new Map();
  #queue = Promise.resolve();
  #latest = 0;
  #exclusive = false;
  #crash = null;

  constructor({ runtime, ingress, callbacks, drainMs, lingerMs }) {
    this.runtime = runtime;
    this.ingress = ingress;
    this.callbacks = callbacks;
    this.drainMs = drainMs;
    this.lingering = new Lingering(lingerMs);
  }

  get exclusive() {
    return this.#exclusive;
  }

  // One change at a time.
  #serial(work) {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Make `state` the live one. A state that another one overtakes while it waits is skipped, its caller gets the later answer. */
  put(state) {
    const wanted = { ...EMPTY, ...state, routing: { ...EMPTY.routing, ...state.routing } };
    this.#latest += 1;
    const turn = this.#latest;
    return this.#serial(async () => {
      if (turn !== this.#latest) return { reloaded: false, ms: 0, superseded: true };
      const started = performance.now();
      const reloaded = await this.#become(wanted);
      return { reloaded, ms: Math.round(performance.now() - started) };
    });
  }

  /** New weights, routes and hosts, effective at once; what of it is built into the runtime is waited for. */
  async route(routing) {
    this.#adopt({ ...this.#declared, routing: { ...EMPTY.routing, ...routing } });
    this.ingress.stats.weights += 1;
    if (this.#print(this.#workers(this.#declared)) !== this.#live.print) {
      const reloaded = await this.#serial(() => this.#become(this.#declared));
      return { reloaded };
    }
    if (this.runtime.running) await this.runtime.weigh(this.#declared.routing);
    return { reloaded: false };
  }

  // The declared versions, then the preview versions of scripts that still exist.
  #workers(declared) {
    const workers = [...declared.workers];
    const known = new Set(workers.map(keyOf));
    for (const [key, worker] of this.#previews) if (!known.has(key) && shown(worker, declared.routing)) workers.push(worker);
    return workers.sort(byKey);
  }

  // Equal prints run the same: same versions, and the routing differs only in what the router here decides.
  #print(workers, routing = this.#declared.routing) {
    return JSON.stringify([workers, new Network(workers, routing).wiring()]);
  }

  // Without `start` an account with nothing to run does not start the runtime: tunnels need none.
  async #become(wanted, { start = false } = {}) {
    const workers = this.#workers(wanted);
    const print = this.#print(workers, wanted.routing);
    const unneeded = !start && !this.runtime.running && idle(workers, wanted);
    if (print === this.#live.print || this.#covers(workers, wanted.routing) || this.#exclusive || unneeded) {
      this.#adopt(wanted);
      if (this.runtime.running) await this.runtime.weigh(wanted.routing);
      return false;
    }
    await this.#swap(workers, wanted.routing, print);
    this.#adopt(wanted);
    return true;
  }

  // A version that lost its traffic may stay until something else is to be loaded: it might be called back.
  #covers(workers, routing) {
    const known = new Set(workers.map(keyOf));
    const unused = this.#live.workers.filter((worker) => !known.has(keyOf(worker)) && shown(worker, routing));
    if (unused.length === 0 || stateful(unused)) return false;
    return this.#print([...workers, ...unused].sort(byKey), routing) === this.#live.print;
  }

  #adopt(wanted) {
    this.#declared = wanted;
    this.ingress.route(wanted.routing);
    for (const [key, worker] of this.#previews) if (!shown(worker, wanted.routing)) this.#previews.delete(key);
  }

  /**
   * The new runtime starts while the old one still answers; requests are held only for the drain and the change itself,
   * as two processes that write to one database disturb each other. With Durable Objects or Workflows the old one must
   * end first: both would run the same alarms. Else it stays for a while, for what its Workers gave to `waitUntil`.
   */
  async #swap(workers, routing, print) {
    const started = performance.now();
    const beside = this.runtime.running && !stateful(workers) && !stateful(this.#live.workers);
    try {
      const ready = beside ? await this.runtime.prepare(workers, routing) : null;
      const held = performance.now();
      await this.#replace(workers, routing, ready);
      this.#live = { workers, routing, print };
      this.ingress.stats.swapped(performance.now() - started, performance.now() - held);
    } catch (error) {
      this.ingress.stats.failedSwaps += 1;
      throw error;
    }
  }

  async #overtake(ready) {
    const age = performance.now() - Math.max(this.runtime.used, this.ingress.lastSent);
    // Most of what follows an answer is done soon after it.
    if (age < SETTLED_MS) await sleep(SETTLE_MS);
    const old = await this.runtime.adopt(ready);
    this.lingering.add(() => old.flush().then(() => old.stop()), age < WAIT_UNTIL_MS);
  }

  async #replace(workers, routing, ready) {
    try {
      await this.ingress.drain(this.drainMs);
      await this.runtime.flush();
      if (ready === null) await this.#inPlace(workers, routing);
      else await this.#overtake(ready);
      this.ingress.route(routing);
    } finally {
      if (this.runtime.running) this.ingress.retarget(this.runtime.targets);
      // Whatever crashed before is no longer what runs.
      this.#crashOver();
      this.ingress.gate.reopen();
    }
  }

  // When a Worker does not start, what ran before runs again.
  async #inPlace(workers, routing) {
    const before = this.#live.print !== null || this.#live.workers.length > 0;
    await this.runtime.stop();
    await this.lingering.end();
    try {
      await this.runtime.adopt(await this.runtime.prepare(workers, routing));
    } catch (error) {
      if (before) await this.runtime.adopt(await this.runtime.prepare(this.#live.workers, this.#live.routing));
      throw error;
    }
  }

  /** The runtime, started if nothing needed it before. */
  async running() {
    if (!this.runtime.running && !this.#exclusive) await this.#serial(() => this.#become(this.#declared, { start: true }));
  }

  /** Load the version of `script` whose id starts with `prefix`, asked from Python; its id, or undefined. */
  preview(script, prefix) {
    return this.#serial(async () => {
      const known = [...this.#workers(this.#declared)].find((worker) => worker.script === script && worker.version.startsWith(prefix));
      const answer = known === undefined ? await this.callbacks.preview(script, prefix) : [];
      for (const worker of answer) {
        this.#previews.delete(keyOf(worker));
        this.#previews.set(keyOf(worker), worker);
      }
      while (this.#previews.size > PREVIEWS) this.#previews.delete(this.#previews.keys().next().value);
      await this.#become(this.#declared);
      return known?.version ?? answer.find((worker) => worker.version.startsWith(prefix))?.version;
    });
  }

  /** Hold requests and end the runtime, so that files under `persist` may be touched. */
  begin() {
    return this.#serial(async () => {
      if (this.#exclusive) throw new Refused(409, "the runtime is already stopped for exclusive access");
      await this.ingress.drain(this.drainMs);
      await this.lingering.end();
      await this.runtime.flush();
      await this.runtime.stop();
      this.#exclusive = true;
      this.#live = { ...this.#live, print: null };
    });
  }

  /** Run again what is declared now, if anything is, and resume. */
  end() {
    return this.#serial(async () => {
      if (!this.#exclusive) throw new Refused(409, "the runtime was not stopped for exclusive access");
      this.#exclusive = false;
      try {
        const workers = this.#workers(this.#declared);
        if (!idle(workers, this.#declared)) await this.#swap(workers, this.#declared.routing, this.#print(workers));
      } finally {
        this.ingress.gate.reopen();
      }
    });
  }

  /** The version of `script` an event goes to, as the runtime names it: `version`, if given, else by percentages. */
  target(script, version) {
    const chosen = version ?? at(this.runtime.net?.deployed(script) ?? [], Math.random());
    if (chosen === undefined) throw new Refused(404, `no version of ${script} is deployed`);
    return `${script}@${chosen}`;
  }

  /** workerd died: hold everyone until Miniflare has started another. If it cannot, everything is built anew. */
  crashed() {
    if (this.#crash !== null) return;
    this.ingress.stats.crashes += 1;
    const crash = {};
    crash.promise = new Promise((resolve) => (crash.over = resolve));
    this.#crash = crash;
    this.ingress.gate.close(0).catch((error) => log(error.message));
    this.#watchRestart(crash).catch((error) => log(`after a crash: ${error.message}`));
  }

  async #watchRestart(crash) {
    // Miniflare queues the restart after it told of the crash.
    await sleep(0);
    const failed = await this.runtime.ready().then(() => false, () => true);
    if (!failed || this.#crash !== crash) return;
    await this.#serial(async () => {
      if (this.#crash !== crash) return;
      await this.runtime.stop();
      this.#live = { ...this.#live, print: null };
      await this.#become(this.#declared).finally(() => this.#crashOver());
    });
  }

  async restarted() {
    await this.runtime.remind().catch((error) => log(`after a restart: ${error.message}`));
    this.ingress.retarget(this.runtime.targets);
    this.#crashOver();
  }

  #crashOver() {
    if (this.#crash === null) return;
    this.ingress.gate.reopen();
    this.#crash.over();
    this.#crash = null;
  }

  /** For a request that lost its connection: answers when the runtime can be asked again. */
  async recover() {
    // Miniflare hears of the death a moment after the sockets do.
    if (this.#crash === null) await sleep(20);
    if (this.#crash !== null) await this.#crash.promise;
    if (this.runtime.running) await this.runtime.ready();
  }

  async stop() {
    this.ingress.close();
    await this.#queue;
    await Promise.all([this.lingering.end(), this.runtime.stop()]);
  }
}

/** Whether a preview of this version may still be asked for: its script is there and, if it says so, shows it. */
function shown(worker, routing) {
  const script = routing.scripts[worker.script];
  return script !== undefined && (!script.previewable?.length || script.previewable.includes(worker.version));
}

const stateful = (workers) => workers.some((worker) => worker.durable_objects?.length > 0 || worker.workflows?.length > 0);

/** Nothing to run and nothing stored: no runtime is needed until somebody asks for data. */
const idle = (workers, { resources }) => workers.length === 0 && Object.values(resources).every((list) => list.length === 0);

const keyOf = (worker) => `${worker.script}@${worker.version}`;

const byKey = (a, b) => (keyOf(a) < keyOf(b) ? -1 : 1);
