// The way to the stores the bindings use: the hub Worker forwards to the store, the namespace travels in a header.
import { HUB } from "../runtime/bindings.mjs";

export class Store {
  constructor(runtime, kind) {
    this.runtime = runtime;
    this.kind = kind;
  }

  send(namespace, request) {
    const headers = { ...request.headers, "x-hub-store": this.kind, "MF-Namespace": namespace };
    return this.runtime.request(HUB, { ...request, headers });
  }
}

/** Path segments after a prefix, decoded: `ns/values/a%2Fb` -> ["ns", "values", "a/b"]. */
export function segments(rest, count) {
  const parts = rest.split("/");
  const head = parts.slice(0, count - 1);
  const tail = parts.slice(count - 1).join("/");
  return [...head, ...(parts.length >= count ? [tail] : [])].map(decodeURIComponent);
}

export const fromBase64 = (text) => Buffer.from(text, "base64").toString("utf8");
export const toBase64 = (text) => Buffer.from(text, "utf8").toString("base64");

/** JSON that may stand in a header: every sign above ASCII escaped. */
export const asciiJson = (value) => JSON.stringify(value).replace(/[\u0080-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
