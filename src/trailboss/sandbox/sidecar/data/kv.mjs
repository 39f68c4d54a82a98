// /data/kv: the namespaces the Workers' bindings read, over the protocol those bindings speak.
import { pipeline } from "node:stream/promises";
import { readBody, readJson, sendJson } from "../control/server.mjs";
import { Refused } from "../errors.mjs";
import { Store, asciiJson, fromBase64, segments, toBase64 } from "./store.mjs";

const MAX_GET = 100;

export class Kv {
  #store;

  constructor(runtime) {
    this.#store = new Store(runtime, "kv");
  }

  async #send(ns, request) {
    const answer = await this.#store.send(ns, request);
    if (answer.statusCode < 400) return answer;
    const text = (await answer.body.text()) || `KV answered ${answer.statusCode}`;
    throw new Refused(answer.statusCode, text);
  }

  #path(key, query = {}) {
    const search = new URLSearchParams({ urlencoded: "true" });
    for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") search.set(name, value);
    return `/${encodeURIComponent(key)}?${search}`;
  }

  async put(ns, key, body, { expiration, expiration_ttl: ttl, metadata }) {
    const headers = metadata === undefined || metadata === null ? {} : { "CF-KV-Metadata": asciiJson(metadata) };
    if (body.headers !== undefined) headers["content-length"] = body.headers["content-length"];
    const { body: answer } = await this.#send(ns, { path: this.#path(key, { expiration, expiration_ttl: ttl }), method: "PUT", headers, body });
    await answer.dump();
  }

  async remove(ns, key) {
    const { body } = await this.#send(ns, { path: this.#path(key), method: "DELETE" });
    await body.dump();
  }

  async list(ns, query) {
    const search = new URLSearchParams();
    if (query.get("prefix")) search.set("prefix", query.get("prefix"));
    if (query.get("cursor")) search.set("cursor", query.get("cursor"));
    if (query.get("limit")) search.set("key_count_limit", query.get("limit"));
    const { body } = await this.#send(ns, { path: `/?${search}` });
    const found = await body.json();
    const keys = found.keys.map(({ name, expiration, metadata }) => ({ name, expiration, metadata: metadata === undefined ? undefined : JSON.parse(metadata) }));
    return { keys, cursor: found.cursor, complete: found.list_complete };
  }

  async bulk(ns, { get = [], put = [], delete: remove = [] }) {
    if (get.length > MAX_GET) throw new Refused(400, `at most ${MAX_GET} keys can be read at once`);
    const values = {};
    for (const key of get) values[key] = await this.#read(ns, key);
    for (const entry of put) {
      const body = Buffer.from(entry.value ?? "", entry.base64 ? "base64" : "utf8");
      await this.put(ns, entry.key, body, entry);
    }
    for (const key of remove) await this.remove(ns, key);
    return { values, written: put.length, deleted: remove.length };
  }

  async #read(ns, key) {
    const answer = await this.#store.send(ns, { path: this.#path(key) });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode === 404) return null;
    if (answer.statusCode >= 400) throw new Refused(answer.statusCode, bytes.toString());
    const { expiration, metadata } = readHeaders(answer.headers);
    const text = bytes.toString("utf8");
    const isText = Buffer.from(text, "utf8").equals(bytes);
    return { value: isText ? text : bytes.toString("base64"), base64: !isText, expiration, metadata };
  }

  async handle({ req, res, url, rest }) {
    const [ns, part, key] = segments(rest, 3);
    if (part === "keys" && req.method === "GET") return sendJson(res, 200, await this.list(ns, url.searchParams));
    if (part === "bulk" && req.method === "POST") return sendJson(res, 200, await this.bulk(ns, await readJson(req)));
    if (part !== "values" || key === undefined) throw new Refused(404, `no such KV path: ${rest}`);
    if (req.method === "PUT") {
      const header = req.headers["x-trailboss-metadata"];
      await this.put(ns, key, req.headers["content-length"] === undefined ? await readBody(req) : req, { ...Object.fromEntries(url.searchParams), metadata: header && JSON.parse(fromBase64(header)) });
      return sendJson(res, 200, {});
    }
    if (req.method === "DELETE") {
      await this.remove(ns, key);
      return sendJson(res, 200, {});
    }
    return this.#get(ns, key, res);
  }

  async #get(ns, key, res) {
    const answer = await this.#send(ns, { path: this.#path(key) });
    const { expiration, metadata } = readHeaders(answer.headers);
    const headers = { "content-type": "application/octet-stream" };
    if (metadata !== undefined) headers["x-trailboss-metadata"] = toBase64(JSON.stringify(metadata));
    if (expiration !== undefined) headers["x-trailboss-expiration"] = expiration;
    if (answer.headers["content-length"] !== undefined) headers["content-length"] = answer.headers["content-length"];
    res.writeHead(200, headers);
    await pipeline(answer.body, res);
  }
}

function readHeaders(headers) {
  const expiration = headers["cf-expiration"];
  const metadata = headers["cf-kv-metadata"];
  return {
    expiration: expiration === undefined ? undefined : Number(expiration),
    metadata: metadata === undefined ? undefined : JSON.parse(Buffer.from(metadata, "latin1").toString("utf8")),
  };
}
