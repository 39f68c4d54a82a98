// Does this version start, and what does it export? What Cloudflare checks before it takes an upload (error 10021).
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { log } from "../errors.mjs";
import { miniflare, undici } from "../toolchain.mjs";
import { partBinding } from "./bindings.mjs";
import { contents, mainText, moduleType } from "./modules.mjs";
import { compatibilityDate, internal, instance } from "./options.mjs";

const source = (name) => readFileSync(new URL(`../workers/${name}.js`, import.meta.url), "utf8");
const PROBE = "trailboss-probe.js";
const LIMIT_MS = 5000;
const LOOKS = 4;
const NOISE_MS = 4;
const DOUBTFUL_MS = 30;
const IDLE_MS = 120_000;
// The runtime keeps this module's insides in an extension, which a Worker started by the loader does not see.
const EMAIL = { name: "cloudflare:email", type: "js", text: "export class EmailMessage { constructor(from, to, raw) { Object.assign(this, { from, to, raw }); } }\nexport default { EmailMessage };" };
const LOADER_TYPES = { esm: "js", cjs: "cjs", text: "text", data: "data", json: "json", wasm: "wasm" };
const EXCEEDED = "Script startup exceeded CPU time limit.";

export class Validator {
  #scratch = null;
  #count = 0;
  #idle = null;
  #baseline = 0;

  /** `{ok: true, startup_time_ms, handlers, named_handlers, classes}` or `{ok: false, kind, message, stack}`. */
  async validate(worker) {
    if (worker.format === "assets") return { ok: true, startup_time_ms: 0, handlers: [], named_handlers: [], classes: [] };
    if (worker.format === "service-worker") return this.#serviceWorker(worker);
    if (!worker.modules.some((module) => module.name === worker.main)) {
      return failed("missing_main", `No such module "${worker.main}".`);
    }
    if (worker.modules.some((module) => moduleType(module).startsWith("python"))) {
      return { ok: true, startup_time_ms: 0, handlers: ["fetch"], named_handlers: [], classes: [], unchecked: "Python modules are not started here" };
    }
    const input = await probeInput(worker);
    const { answer, ms } = await this.#probe(input);
    if (!answer.ok) return failed(answer.kind ?? "startup", answer.message);
    const missing = missingClass(worker, answer.classes);
    if (missing !== undefined) return failed("missing_export", missing);
    const { handlers, named_handlers: named, classes, has_default: hasDefault } = answer;
    return { ok: true, startup_time_ms: await this.#startup(input, ms), handlers, named_handlers: named, classes, has_default: hasDefault };
  }

  // What the code itself costs. The way to it varies by milliseconds from call to call, so a small difference is
  // looked at again beside a Worker that does nothing; of both the quickest counts.
  async #startup(input, first) {
    let [full, empty] = [first, this.#baseline];
    for (let again = 0; again < LOOKS && full - empty >= NOISE_MS && full - empty < DOUBTFUL_MS; again++) {
      empty = Math.min(empty, (await this.#probe(TRIVIAL)).ms);
      full = Math.min(full, (await this.#probe(input)).ms);
    }
    return full - empty < NOISE_MS ? 0 : Math.floor(full - empty);
  }

  async #probe(input) {
    const scratch = await this.#warm();
    const answer = await this.#ask(scratch, input);
    this.#idle.refresh();
    return answer;
  }

  async #ask(scratch, input) {
    this.#count += 1;
    const started = performance.now();
    try {
      const { body } = await undici.request(scratch.url, {
        method: "POST",
        body: JSON.stringify({ ...input, id: `probe-${this.#count}` }),
        headersTimeout: LIMIT_MS,
      });
      const answer = await body.json();
      return { answer, ms: performance.now() - started };
    } catch (error) {
      // A start that never ends blocks its whole runtime: that one is thrown away.
      await this.close();
      const late = error.code === "UND_ERR_HEADERS_TIMEOUT";
      return { answer: { ok: false, message: late ? EXCEEDED : `the runtime ended while the Worker started: ${error.message}` }, ms: LIMIT_MS };
    }
  }

  // One warm runtime for all checks: the loader binding starts a Worker in milliseconds. It ends when it was idle.
  #warm() {
    this.#scratch ??= this.#start();
    return this.#scratch.catch((error) => {
      this.#scratch = null;
      throw error;
    });
  }

  async #start() {
    const { Miniflare } = miniflare();
    const folder = await mkdtemp(path.join(os.tmpdir(), "trailboss-scratch-"));
    const flags = [];
    const worker = internal("trailboss-scratch", source("scratch"), { LOADER: { type: "worker-loader" } }, flags);
    const runtime = new Miniflare({ ...instance({ persist: folder, onLog: () => {} }), workers: [worker] });
    await runtime.ready;
    const url = await runtime.unsafeGetDirectURL("trailboss-scratch");
    this.#idle = setTimeout(() => this.close().catch((error) => log(error.message)), IDLE_MS).unref();
    const scratch = { runtime, url, folder };
    await this.#ask(scratch, TRIVIAL);
    this.#baseline = (await this.#ask(scratch, TRIVIAL)).ms;
    return scratch;
  }

  // The loader knows modules only: a service worker is started as the one Worker of a runtime, then looked through.
  async #serviceWorker(worker) {
    const { Miniflare } = miniflare();
    const text = await mainText(worker);
    const folder = await mkdtemp(path.join(os.tmpdir(), "trailboss-scratch-"));
    const lines = [];
    const config = { name: "scratch", compatibilityDate: compatibilityDate(worker.compatibility_date), compatibilityFlags: worker.compatibility_flags ?? [], env: textBindings(worker) };
    const legacy = { serviceWorkerScript: text, serviceWorkerScriptPath: `/${worker.main}` };
    for (const b of worker.bindings ?? []) await partBinding(worker, b, legacy);
    let runtime;
    try {
      runtime = new Miniflare({ ...instance({ persist: folder, onLog: ({ message }) => lines.push(message) }), workers: [{ config, legacy }] });
      await runtime.ready;
    } catch (error) {
      const line = lines.find((one) => one.includes("core:user:scratch: "));
      return failed("startup", line === undefined ? error.message : line.slice(line.indexOf("core:user:scratch: ") + 19));
    } finally {
      await runtime?.dispose().catch((error) => log(error.message));
      await rm(folder, { recursive: true, force: true });
    }
    const handlers = [...text.matchAll(/addEventListener\(\s*["'`](\w+)["'`]/g)].map((match) => match[1]);
    // Its start cannot be told from that of the runtime around it.
    return { ok: true, startup_time_ms: 0, handlers: [...new Set(handlers)], named_handlers: [], classes: [] };
  }

  async close() {
    const scratch = this.#scratch;
    this.#scratch = null;
    clearTimeout(this.#idle);
    if (scratch === null) return;
    const { runtime, folder } = await scratch;
    await runtime.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

function failed(kind, text) {
  const message = text.replace(/^Failed to start Worker:\n/, "").replaceAll("file:///", "");
  const [first, ...rest] = message.split("\n");
  return { ok: false, kind, message, summary: first, stack: rest.join("\n") };
}

// Only plain values are of use during a start; what talks to storage may not be used then, so an empty object stands in.
function plainVars(worker) {
  const found = {};
  for (const b of worker.bindings ?? []) {
    if (b.type === "json") found[b.name] = b.json ?? null;
    else found[b.name] = b.type === "plain_text" || b.type === "secret_text" ? (b.text ?? "") : {};
  }
  return found;
}

function textBindings(worker) {
  const plain = (worker.bindings ?? []).filter((b) => b.type === "plain_text" || b.type === "secret_text");
  return Object.fromEntries(plain.map((b) => [b.name, { type: "text", value: b.text ?? "" }]));
}

function probeText(text) {
  const modules = [{ name: PROBE, type: "js", text: source("probe").replace("MAIN", () => "./index.js") }, { name: "index.js", type: "js", text }];
  return { main: PROBE, modules, date: "2026-01-01", flags: [], vars: {} };
}

const TRIVIAL = probeText("export default {};");

async function probeInput(worker) {
  const modules = [{ name: PROBE, type: "js", text: source("probe").replace('"MAIN"', () => JSON.stringify(`./${worker.main}`)) }];
  for (const module of worker.modules) {
    const type = LOADER_TYPES[moduleType(module)];
    if (type === undefined) continue;
    const raw = Buffer.from(await contents(module.path));
    modules.push(type === "wasm" || type === "data" ? { name: module.name, type, data: raw.toString("base64") } : { name: module.name, type, text: raw.toString("utf8") });
  }
  const flags = worker.compatibility_flags ?? [];
  // The new registry lets no module of a Worker's own have such a name, so it stands in only where it is asked for.
  if (!flags.includes("new_module_registry") && modules.some(({ text }) => text?.includes(EMAIL.name))) modules.push(EMAIL);
  return { main: PROBE, modules, date: compatibilityDate(worker.compatibility_date), flags, vars: plainVars(worker) };
}

function missingClass(worker, classes) {
  const found = new Set(classes.map((entry) => entry.name));
  const wanted = [...(worker.durable_objects ?? []), ...(worker.workflows ?? [])].map((entry) => entry.class_name);
  const missing = wanted.find((name) => !found.has(name));
  return missing === undefined ? undefined : `The class "${missing}" is not exported by the script's main module "${worker.main}".`;
}
