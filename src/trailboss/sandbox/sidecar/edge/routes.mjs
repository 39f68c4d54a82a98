// From a host name and a path to a Worker or a tunnel. Built once per routing state, then only looked up.
import { Tunnels } from "./tunnels.mjs";

/** `*.example.com/api/*` -> its parts; a wildcard may stand at the start of the host and the end of the path. */
export function parsePattern(pattern) {
  const bare = pattern.replace(/^https?:\/\//, "").toLowerCase();
  const scheme = /^(https?):\/\//.exec(pattern)?.[1];
  const slash = bare.indexOf("/");
  const host = slash < 0 ? bare : bare.slice(0, slash);
  const path = slash < 0 ? "/" : pattern.slice(pattern.length - (bare.length - slash));
  const wildHost = host.startsWith("*");
  const wildPath = path.endsWith("*");
  return {
    scheme,
    host: wildHost ? host.slice(1) : host,
    wildHost,
    path: wildPath ? path.slice(0, -1) : path,
    wildPath,
  };
}

function hostMatches(route, host) {
  if (!route.wildHost) return host === route.host;
  return host.endsWith(route.host);
}

function matches(route, scheme, host, path) {
  if (route.scheme !== undefined && route.scheme !== scheme) return false;
  if (!hostMatches(route, host)) return false;
  return route.wildPath ? path.startsWith(route.path) : path === route.path;
}

// A host without a wildcard before one with, then the longer host, then the longer path, then no wildcard.
function bySpecificity(a, b) {
  return (
    a.wildHost - b.wildHost ||
    b.host.length - a.host.length ||
    b.path.length - a.path.length ||
    a.wildPath - b.wildPath
  );
}

/** The ends of the host names that belong to the account's workers.dev subdomain, here and there. */
export const suffixes = (subdomain) => [`.${subdomain}.workers.localhost`, `.${subdomain}.workers.dev`];

export class Routes {
  /** `before` are the routes this takes the place of. */
  constructor(routing, subdomain, before) {
    this.tunnels = new Tunnels(routing.tunnels, before?.tunnels);
    this.scripts = routing.scripts ?? {};
    this.suffixes = suffixes(subdomain);
    this.hosts = new Map((routing.hosts ?? []).map((entry) => [entry.hostname.toLowerCase(), entry]));
    this.patterns = (routing.routes ?? [])
      .map((route) => ({ ...parsePattern(route.pattern), pattern: route.pattern, script: route.script }))
      .sort(bySpecificity);
  }

  /**
   * Where a request goes: `{script}`, `{script, version}` (or `prefix`, to be looked up) for a preview, `{tunnel}`, or `{miss}`
   * with the reason: 'disabled', 'previews-disabled', 'no-script', 'no-preview', 'no-worker', 'no-tunnel', 'unknown-host',
   * 'foreign-host'. `nested` requests come from a Worker: where one stands on a route before a tunnel, it means its origin.
   */
  find(scheme, hostHeader, target, nested = false) {
    const host = stripPort(hostHeader);
    const suffix = this.suffixes.find((end) => host.endsWith(end));
    if (suffix !== undefined) return this.#onSubdomain(host.slice(0, -suffix.length));
    const name = this.#known(scheme, host, target, nested) ?? this.#known(scheme, host.replace(/\.localhost$/, ""), target, nested);
    if (name !== undefined) return name;
    return { miss: isLocal(host) ? "unknown-host" : "foreign-host", host };
  }

  #known(scheme, host, target, nested) {
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    const route = this.patterns.find((entry) => matches(entry, scheme, host, path));
    if (route !== undefined) return this.#routed(route, host, nested);
    const domain = this.hosts.get(host);
    if (domain === undefined) {
      return this.tunnels.find(host) ?? (this.patterns.some((entry) => hostMatches(entry, host)) ? { miss: "no-worker", host } : undefined);
    }
    return domain.enabled === false ? { miss: "disabled", host } : { script: domain.script, host };
  }

  #routed(route, host, nested) {
    const behind = nested || !route.script ? this.tunnels.find(host) : undefined;
    if (behind !== undefined) return { ...behind, behindWorker: Boolean(route.script) };
    return route.script ? { script: route.script, host } : { miss: "no-worker", host };
  }

  #onSubdomain(label) {
    const script = this.scripts[label];
    if (script !== undefined) return script.workers_dev === false ? { miss: "disabled", host: label } : { script: label };
    // `<version prefix or alias>-<script>`: both sides may hold dashes, so every split is tried.
    for (let dash = label.indexOf("-"); dash > 0; dash = label.indexOf("-", dash + 1)) {
      const name = label.slice(dash + 1);
      const owner = this.scripts[name];
      if (owner === undefined) continue;
      const found = preview(name, owner, label.slice(0, dash));
      if (found !== undefined) return found;
    }
    return { miss: "no-script", host: label };
  }
}

function preview(script, owner, label) {
  const alias = owner.aliases?.[label];
  const isPrefix = /^[0-9a-f]{8}$/.test(label);
  if (alias === undefined && !isPrefix) return undefined;
  if (owner.previews === false) return { miss: "previews-disabled", host: `${label}-${script}` };
  if (alias !== undefined) return { script, version: alias, preview: true };
  const known = [...(owner.previewable ?? []), ...(owner.versions ?? []).map((entry) => entry.version)];
  const version = known.find((id) => id.startsWith(label));
  return version === undefined ? { script, prefix: label, preview: true } : { script, version, preview: true };
}

export function stripPort(host) {
  const bare = host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : host.split(":", 1)[0];
  return bare.toLowerCase().replace(/\.$/, "");
}

export function isLocal(host) {
  return host === "localhost" || host.endsWith(".localhost") || host === "127.0.0.1" || host === "[::1]";
}
