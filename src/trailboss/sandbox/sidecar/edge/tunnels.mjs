// Host names that lead through a tunnel, and which of its rules answers. Built once per routing state.
import { log } from "../errors.mjs";
import { Origin } from "./origin.mjs";

const NEVER = /(?!)/;

/** Go's expressions, near enough: flags in front and named groups are spelled in another way. */
function pattern(path) {
  const [, flags = "", rest] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(path);
  try {
    return new RegExp(rest.replaceAll("(?P<", "(?<"), flags);
  } catch (error) {
    log(`tunnel: a rule never matches: ${error.message}`);
    return NEVER;
  }
}

class Rule {
  constructor({ hostname, path, service, origin }, origins) {
    this.host = hostname === "*" ? "" : hostname.toLowerCase();
    this.end = this.host.startsWith("*.") ? this.host.slice(1) : undefined;
    this.path = path === "" ? undefined : pattern(path);
    this.origin = origins.of(service, origin);
  }

  matches(host, path) {
    if (this.host !== "" && this.host !== host && !(this.end !== undefined && host.endsWith(this.end))) return false;
    return this.path === undefined || this.path.test(path);
  }
}

/** Origins live as long as a rule names them: their connections survive a change of anything else. */
class Origins {
  #old;
  #now = new Map();

  constructor(before) {
    this.#old = before?.entries ?? new Map();
  }

  get entries() {
    return this.#now;
  }

  of(service, settings) {
    const key = JSON.stringify([service, settings]);
    const origin = this.#now.get(key) ?? this.#old.get(key) ?? new Origin(service, settings);
    this.#now.set(key, origin);
    return origin;
  }

  sweep() {
    for (const [key, origin] of this.#old) if (!this.#now.has(key)) origin.close();
    this.#old = new Map();
  }
}

export class Tunnels {
  #hosts;
  #tunnels = new Map();
  #origins;

  /** `table` is Python's: `{hosts: {name: id}, tunnels: {id: {name, up, rules}}}`. */
  constructor(table, before) {
    this.#origins = new Origins(before?.origins);
    this.#hosts = new Map(Object.entries(table?.hosts ?? {}));
    for (const [id, { up, rules }] of Object.entries(table?.tunnels ?? {})) {
      this.#tunnels.set(id, { id, up, rules: rules.map((rule) => new Rule(rule, this.#origins)) });
    }
    this.#origins.sweep();
  }

  get origins() {
    return this.#origins;
  }

  /** `{tunnel, host}` or `{miss}` for a host name that leads to a tunnel, else undefined. */
  find(host) {
    if (this.#hosts.size === 0) return undefined;
    const id = this.#hosts.get(host) ?? this.#wild(host);
    if (id === undefined) return undefined;
    const tunnel = this.#tunnels.get(id);
    if (tunnel === undefined || !tunnel.up || tunnel.rules.length === 0) return { miss: "no-tunnel", host };
    return { tunnel, host };
  }

  // The nearest wildcard above the name, as in DNS.
  #wild(host) {
    for (let dot = host.indexOf("."); dot > 0; dot = host.indexOf(".", dot + 1)) {
      const id = this.#hosts.get(`*${host.slice(dot)}`);
      if (id !== undefined) return id;
    }
    return undefined;
  }
}

/** The origin of the first rule that matches; the last one always does. */
export function originOf(tunnel, host, path) {
  return (tunnel.rules.find((rule) => rule.matches(host, path)) ?? tunnel.rules.at(-1)).origin;
}
