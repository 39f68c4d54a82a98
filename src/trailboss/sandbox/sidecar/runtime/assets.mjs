// Static assets of a version. Cloudflare gets the text of _headers and _redirects beside the files, Miniflare reads
// them among the files: a folder of hard links carries both, so that versions can share their files.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, link, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const RULES = ["_headers", "_redirects"];

async function linkTree(from, to) {
  await mkdir(to, { recursive: true });
  const entries = await readdir(from, { withFileTypes: true });
  for (const entry of entries) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (!RULES.includes(path.relative(to, target))) await link(source, target).catch(() => copyFile(source, target));
  }
}

async function overlay(directory, config, persist) {
  const rules = RULES.filter((name) => config[name]);
  if (rules.length === 0) return directory;
  const digest = createHash("sha256").update(JSON.stringify([directory, ...RULES.map((name) => config[name])])).digest("hex");
  const root = path.join(persist, "asset-rules");
  const made = path.join(root, digest.slice(0, 32));
  if (await exists(made)) return made;
  await mkdir(root, { recursive: true });
  const staging = await mkdtemp(path.join(root, "new-"));
  await linkTree(directory, staging);
  for (const name of rules) {
    await rm(path.join(staging, name), { force: true });
    await writeFile(path.join(staging, name), config[name]);
  }
  await rename(staging, made).catch(() => rm(staging, { recursive: true, force: true }));
  return made;
}

const exists = (file) => access(file, constants.F_OK).then(() => true, () => false);

/** Miniflare's `assets` of a Worker that has some. */
export async function assetOptions(worker, persist) {
  const config = worker.assets.config ?? {};
  return {
    directory: await overlay(worker.assets.directory, config, persist),
    hasUserWorker: worker.format !== "assets",
    ...(config.html_handling ? { htmlHandling: config.html_handling } : {}),
    ...(config.not_found_handling ? { notFoundHandling: config.not_found_handling } : {}),
    ...(config.run_worker_first === undefined ? {} : { runWorkerFirst: config.run_worker_first }),
  };
}
