// A version's modules, as Miniflare wants them. Files of a version never change, so each is read once.
import { readFile, stat } from "node:fs/promises";

const TYPES = {
  "application/javascript+module": "esm",
  "application/javascript": "cjs",
  "text/javascript+module": "esm",
  "text/javascript": "cjs",
  "application/wasm": "wasm",
  "application/octet-stream": "data",
  "text/plain": "text",
  "application/json": "json",
  "text/x-python": "python",
  "text/x-python-requirement": "python-requirement",
  "application/source-map": "sourcemap",
};

const cache = new Map();

export async function contents(path) {
  const { mtimeMs, size } = await stat(path);
  const known = cache.get(path);
  if (known !== undefined && known.mtimeMs === mtimeMs && known.size === size) return known.bytes;
  const bytes = new Uint8Array(await readFile(path));
  cache.set(path, { mtimeMs, size, bytes });
  return bytes;
}

/** Forget the files that no version names any more. */
export function keepOnly(paths) {
  for (const path of cache.keys()) if (!paths.has(path)) cache.delete(path);
}

const bare = (type) => type.split(";")[0].trim().toLowerCase();

export function moduleType({ name, type }) {
  const found = TYPES[bare(type ?? "")];
  if (found !== undefined) return found;
  if (name.endsWith(".mjs") || name.endsWith(".js")) return "esm";
  return name.endsWith(".wasm") ? "wasm" : "data";
}

/** Miniflare's `manifest`. Names are resolved against `/`, so stack traces show the user's own names. */
export async function manifest(worker) {
  const modules = {};
  await Promise.all(
    worker.modules.map(async (module) => {
      const type = moduleType(module);
      if (type !== "sourcemap") modules[module.name] = { type, contents: await contents(module.path) };
    }),
  );
  return { mainModule: worker.main, modulesRoot: "/", modules };
}

export async function mainText(worker) {
  const main = worker.modules.find((module) => module.name === worker.main) ?? worker.modules[0];
  return new TextDecoder().decode(await contents(main.path));
}

/** The bytes of the part a `wasm_module`, `text_blob` or `data_blob` binding names. */
export async function part(worker, name) {
  const module = worker.modules.find((entry) => (entry.part ?? entry.name) === name);
  return module === undefined ? undefined : { bytes: await contents(module.path), path: module.path };
}
