// One R2 object in its three spellings: the runtime's, HTTP headers, and Cloudflare's REST JSON.
import { fromBase64, toBase64 } from "./store.mjs";

const HTTP = {
  "content-type": "contentType",
  "content-language": "contentLanguage",
  "content-disposition": "contentDisposition",
  "content-encoding": "contentEncoding",
  "cache-control": "cacheControl",
};

/** The runtime's two field lists from plain objects. */
export function fields(http, custom) {
  const found = {};
  if (http && Object.keys(http).length > 0) found.httpFields = http;
  if (custom) found.customFields = Object.entries(custom).map(([k, v]) => ({ k, v: String(v) }));
  return found;
}

/** What a PUT's headers say: http and custom metadata, conditions, checksum. */
export function fromRequest(req) {
  const http = {};
  for (const [header, field] of Object.entries(HTTP)) if (req.headers[header] !== undefined) http[field] = req.headers[header];
  if (req.headers.expires !== undefined) http.cacheExpiry = Date.parse(req.headers.expires);
  const custom = req.headers["x-trailboss-custom-metadata"];
  return {
    http,
    custom: custom === undefined ? undefined : JSON.parse(fromBase64(custom)),
    onlyIf: conditions(req.headers),
    md5: req.headers["content-md5"],
  };
}

function etags(header) {
  return header.split(",").map((one) => {
    const text = one.trim();
    if (text === "*") return { type: "wildcard" };
    const weak = text.startsWith("W/");
    return { type: weak ? "weak" : "strong", value: text.slice(weak ? 2 : 0).replace(/^"|"$/g, "") };
  });
}

/** The conditional headers as the runtime's `onlyIf`, or undefined. */
export function conditions(headers) {
  const found = {};
  if (headers["if-match"]) found.etagMatches = etags(headers["if-match"]);
  if (headers["if-none-match"]) found.etagDoesNotMatch = etags(headers["if-none-match"]);
  // The runtime compares strictly, HTTP includes the second itself.
  if (headers["if-unmodified-since"]) found.uploadedBefore = Date.parse(headers["if-unmodified-since"]) + 1000;
  if (headers["if-modified-since"]) found.uploadedAfter = Date.parse(headers["if-modified-since"]);
  if (Object.keys(found).length === 0) return undefined;
  return { ...found, secondsGranularity: true };
}

const custom = (object) => Object.fromEntries((object.customFields ?? []).map(({ k, v }) => [k, v]));

/** Response headers of an object. */
export function objectHeaders(object) {
  const headers = {
    etag: `"${object.etag}"`,
    "last-modified": new Date(Number(object.uploaded)).toUTCString(),
    "accept-ranges": "bytes",
    "x-trailboss-version": object.version,
    "x-trailboss-custom-metadata": toBase64(JSON.stringify(custom(object))),
  };
  for (const [header, field] of Object.entries(HTTP)) if (object.httpFields?.[field]) headers[header] = object.httpFields[field];
  if (object.httpFields?.cacheExpiry) headers.expires = new Date(Number(object.httpFields.cacheExpiry)).toUTCString();
  headers["content-type"] ??= "application/octet-stream";
  return headers;
}

/** The object as JSON, in the spelling of Cloudflare's REST API. */
export function describe(object) {
  return {
    key: object.name,
    etag: object.etag,
    version: object.version,
    size: object.size,
    last_modified: new Date(Number(object.uploaded)).toISOString(),
    http_metadata: object.httpFields ?? {},
    custom_metadata: custom(object),
    checksums: object.checksums ?? {},
    storage_class: "Standard",
  };
}
