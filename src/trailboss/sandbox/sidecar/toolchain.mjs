// The npm packages of the pinned toolchain. They live in a folder named at start-up, not beside this file.
import { createRequire, enableCompileCache } from "node:module";
import path from "node:path";

export let undici;
let require;

/** Use the packages under `root`/node_modules. undici is loaded now, Miniflare (300 ms) when first asked for. */
export function use(root) {
  // The compiled form of Miniflare's six megabytes, kept between starts: half of the cold start.
  enableCompileCache(path.join(root, ".compile-cache"));
  require = createRequire(path.join(root, "package.json"));
  undici = require("undici");
}

export function ws() {
  return require("ws");
}

export function miniflare() {
  return require("miniflare");
}
