// Header lists on their way to and from the runtime, kept raw: order, case and duplicates survive.
import { blob, country } from "./cf.mjs";

// Hop-by-hop names, those undici refuses, and those only the edge may set.
const NOT_FORWARDED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "cf-connecting-ip",
  "cf-ray",
  "cf-ipcountry",
  "cf-visitor",
  "cf-ew-via",
  "cdn-loop",
  "x-real-ip",
  "x-forwarded-proto",
  "x-forwarded-for",
  "x-trailboss-cf",
  "mf-cf-blob",
]);
const NOT_RETURNED = new Set(["connection", "keep-alive", "transfer-encoding", "server", "cf-ray"]);

/** The headers the Worker sees, as undici's flat list. `upgrade` keeps those of a WebSocket handshake. */
export function inbound(req, { ray, ip, scheme, upgrade = false }) {
  const raw = req.rawHeaders;
  const list = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (NOT_FORWARDED.has(name) && !(upgrade && (name === "upgrade" || name === "connection"))) continue;
    if (name.startsWith("mf-") || req.access?.hidden.has(name)) continue;
    list.push(raw[i], raw[i + 1]);
  }
  if (req.access?.add !== undefined) list.push(...req.access.add);
  const headers = req.headers;
  const asked = headers["x-trailboss-cf"];
  const before = headers["x-forwarded-for"];
  list.push("CF-Connecting-IP", ip, "CF-Ray", ray, "CF-IPCountry", country(asked), "CF-Visitor", `{"scheme":"${scheme}"}`);
  list.push("X-Forwarded-Proto", scheme, "X-Real-IP", ip, "X-Forwarded-For", before === undefined ? ip : `${before},${ip}`);
  list.push("CDN-Loop", `cloudflare; loops=${loops(req) + 1}`, "MF-CF-Blob", blob(headers["accept-encoding"], asked));
  return list;
}

/**
 * The headers a tunnel's origin sees, as a flat list. `host` is the public name (or what the tunnel's configuration puts in
 * its place), however the client spelled it.
 */
export function toOrigin(req, { ray, ip, scheme, host, upgrade = false }) {
  const raw = req.rawHeaders;
  const list = ["Host", host];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (name === "host" || (NOT_FORWARDED.has(name) && !(upgrade && (name === "upgrade" || name === "connection")))) continue;
    if (name.startsWith("mf-") || req.access?.hidden.has(name)) continue;
    list.push(raw[i], raw[i + 1]);
  }
  if (req.access?.add !== undefined) list.push(...req.access.add);
  const before = req.headers["x-forwarded-for"];
  list.push("CF-Connecting-IP", ip, "CF-Ray", ray, "CF-IPCountry", country(req.headers["x-trailboss-cf"]), "CF-Visitor", `{"scheme":"${scheme}"}`);
  list.push("X-Forwarded-Proto", scheme, "X-Forwarded-For", before === undefined ? ip : `${before},${ip}`);
  list.push("CDN-Loop", `cloudflare; loops=${loops(req) + 1}`);
  return list;
}

/** The headers the client sees, as Node's flat list, from undici's list of buffers. */
export function outbound(rawHeaders, ray) {
  const list = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].latin1Slice();
    if (NOT_RETURNED.has(name.toLowerCase())) continue;
    list.push(name, rawHeaders[i + 1].latin1Slice());
  }
  list.push("server", "cloudflare", "cf-ray", ray);
  return list;
}

/** How often this request already came through the edge. */
export function loops(req) {
  const header = req.headers["cdn-loop"];
  return header === undefined ? 0 : Number(/cloudflare; loops=(\d+)/.exec(header)?.[1] ?? 0);
}

export function scheme(req) {
  const forwarded = req.headers["x-forwarded-proto"];
  return forwarded === "https" || req.socket.encrypted ? "https" : "http";
}

export function clientAddress(req) {
  const address = req.socket.remoteAddress ?? "127.0.0.1";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** Path and query of a request line that may hold a whole URL. */
export function targetOf(url) {
  if (url[0] === "/") return url;
  const slash = url.indexOf("/", url.indexOf("//") + 2);
  return slash < 0 ? "/" : url.slice(slash);
}

/** Its path alone. */
export function pathOf(url) {
  const target = targetOf(url);
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

/** The whole URL a client asked for: what the Worker reads as `request.url`. */
export function wholeUrl(req, urlScheme) {
  const target = req.url;
  if (target[0] === "/") return `${urlScheme}://${req.headers.host}${target}`;
  return target === "*" ? `${urlScheme}://${req.headers.host}/*` : target;
}
