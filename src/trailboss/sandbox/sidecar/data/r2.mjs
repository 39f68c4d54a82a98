// /data/r2: the buckets the Workers' bindings use, over the protocol those bindings speak.
//
// objects/{key}         GET, HEAD, PUT, DELETE
// objects               GET: list (prefix, delimiter, cursor, limit, start_after, include=http_metadata,custom_metadata)
// delete                POST {keys:[...]}
// uploads               POST {key, http_metadata?, custom_metadata?} -> {upload_id}
// uploads/{id}/parts/{n}?key=   PUT bytes -> {etag, part, size}
// uploads/{id}/complete POST {key, parts:[{part, etag}]} -> the object
// uploads/{id}?key=     DELETE
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { readJson, sendJson } from "../control/server.mjs";
import { Refused } from "../errors.mjs";
import { conditions, describe, fields, fromRequest, objectHeaders } from "./r2-object.mjs";
import { Store, asciiJson, segments } from "./store.mjs";

const VERSION = 1;

export class R2 {
  #store;

  constructor(runtime) {
    this.#store = new Store(runtime, "r2");
  }

  /** Ask without a body (head, get, list). Gives the metadata and the rest of the body as a stream. */
  async #read(bucket, input) {
    const headers = { "cf-r2-request": asciiJson({ version: VERSION, ...input }) };
    return this.#answer(await this.#store.send(bucket, { method: "GET", headers }));
  }

  /** `value` is bytes, or `{size, stream}`, passed on as it comes. */
  async #write(bucket, input, value = Buffer.alloc(0)) {
    const head = Buffer.from(JSON.stringify({ version: VERSION, ...input }));
    const { length, body } = sized(head, value);
    const headers = { "cf-r2-metadata-size": String(head.length), "content-length": String(length) };
    return this.#answer(await this.#store.send(bucket, { method: "PUT", headers, body }));
  }

  async #answer({ statusCode, headers, body }) {
    const problem = headers["cf-r2-error"];
    if (problem !== undefined) {
      const { v4code, message } = JSON.parse(problem);
      await body.dump();
      throw new Refused(statusCode, message, { code: v4code });
    }
    const size = Number(headers["cf-r2-metadata-size"] ?? 0);
    if (size === 0) {
      await body.dump();
      return { metadata: null, body: null };
    }
    const { head, stream } = await prefix(body, size);
    return { metadata: JSON.parse(head), stream };
  }

  async #json(promise) {
    const { metadata, stream } = await promise;
    if (stream !== undefined) for await (const _ of stream) continue;
    return metadata;
  }

  async list(bucket, query) {
    const include = (query.get("include") ?? "").split(",");
    const wanted = {
      method: "list",
      limit: query.get("limit") ? Number(query.get("limit")) : undefined,
      prefix: query.get("prefix") ?? undefined,
      cursor: query.get("cursor") || undefined,
      delimiter: query.get("delimiter") || undefined,
      startAfter: query.get("start_after") || undefined,
      include: [...(include.includes("http_metadata") ? [0] : []), ...(include.includes("custom_metadata") ? [1] : [])],
    };
    const found = await this.#json(this.#read(bucket, wanted));
    return { objects: found.objects.map(describe), truncated: found.truncated, cursor: found.cursor, delimited_prefixes: found.delimitedPrefixes };
  }

  put(bucket, key, value, { http, custom, onlyIf, md5 }) {
    return this.#json(this.#write(bucket, { method: "put", object: key, ...fields(http, custom), onlyIf, md5 }, value));
  }

  async handle(context) {
    const [bucket, part, rest] = segments(context.rest, 3);
    const { req, res, url } = context;
    if (part === "objects" && rest === undefined && req.method === "GET") return sendJson(res, 200, await this.list(bucket, url.searchParams));
    if (part === "objects" && rest !== undefined) return this.#object(bucket, rest, context);
    if (part === "delete" && req.method === "POST") {
      const { keys } = await readJson(req);
      for (let at = 0; at < keys.length; at += 1000) await this.#json(this.#write(bucket, { method: "delete", objects: keys.slice(at, at + 1000) }));
      return sendJson(res, 200, { deleted: keys.length });
    }
    if (part === "uploads") return this.#upload(bucket, rest, context);
    throw new Refused(404, `no such R2 path: ${context.rest}`);
  }

  async #object(bucket, key, { req, res }) {
    if (req.method === "PUT") {
      const options = fromRequest(req);
      const made = await measured(req, (value) => this.put(bucket, key, value, options));
      return sendJson(res, 200, describe(made));
    }
    if (req.method === "DELETE") {
      await this.#json(this.#write(bucket, { method: "delete", object: key }));
      return sendJson(res, 200, {});
    }
    return this.#get(bucket, key, req, res);
  }

  async #get(bucket, key, req, res) {
    const onlyIf = conditions(req.headers);
    const range = req.headers.range;
    let found;
    try {
      const method = req.method === "HEAD" && onlyIf === undefined ? "head" : "get";
      found = await this.#read(bucket, { method, object: key, rangeHeader: method === "get" ? range : undefined, onlyIf });
    } catch (error) {
      if (error.status === 412 && (req.headers["if-none-match"] ?? req.headers["if-modified-since"]) !== undefined) return res.writeHead(304).end();
      throw error;
    }
    const { metadata, stream } = found;
    const { offset = 0, length = metadata.size } = metadata.range ?? {};
    const partial = range !== undefined && (offset > 0 || length < metadata.size);
    const headers = { ...objectHeaders(metadata), "content-length": String(partial ? length : metadata.size) };
    if (partial) headers["content-range"] = `bytes ${offset}-${offset + length - 1}/${metadata.size}`;
    res.writeHead(partial ? 206 : 200, headers);
    if (req.method === "HEAD") {
      stream.destroy?.();
      return res.end();
    }
    for await (const chunk of stream) if (!res.write(chunk)) await new Promise((resolve) => res.once("drain", resolve));
    return res.end();
  }

  async #upload(bucket, rest, { req, res, url }) {
    if (rest === undefined) {
      const { key, http_metadata: http, custom_metadata: custom } = await readJson(req);
      const made = await this.#json(this.#write(bucket, { method: "createMultipartUpload", object: key, ...fields(http, custom) }));
      return sendJson(res, 200, { upload_id: made.uploadId, key });
    }
    const [uploadId, action, number] = rest.split("/");
    if (action === "parts" && req.method === "PUT") {
      const partNumber = Number(number);
      const input = { method: "uploadPart", object: url.searchParams.get("key"), uploadId, partNumber };
      const [{ etag }, size] = await measured(req, async (value) => [await this.#json(this.#write(bucket, input, value)), value.size]);
      return sendJson(res, 200, { etag, part: partNumber, size });
    }
    if (action === "complete" && req.method === "POST") {
      const { key, parts } = await readJson(req);
      const made = await this.#json(this.#write(bucket, { method: "completeMultipartUpload", object: key, uploadId, parts }));
      return sendJson(res, 200, describe(made));
    }
    if (action === undefined && req.method === "DELETE") {
      await this.#json(this.#write(bucket, { method: "abortMultipartUpload", object: url.searchParams.get("key"), uploadId }));
      return sendJson(res, 200, {});
    }
    throw new Refused(404, `no such R2 upload path: ${rest}`);
  }
}

function sized(head, value) {
  if (Buffer.isBuffer(value)) return { length: head.length + value.length, body: Buffer.concat([head, value]) };
  async function* stream() {
    yield head;
    yield* value.stream;
  }
  return { length: head.length + value.size, body: stream() };
}

// The store must be told the length first: `use` gets `{size, stream}`. A request that does not say it (chunked) waits
// in a file until it has ended.
async function measured(req, use) {
  const declared = req.headers["content-length"];
  if (declared !== undefined) return use({ size: Number(declared), stream: req });
  const folder = await mkdtemp(path.join(os.tmpdir(), "trailboss-r2-"));
  try {
    const file = path.join(folder, "body");
    await pipeline(req, createWriteStream(file));
    const { size } = await stat(file);
    const stream = createReadStream(file);
    return await use({ size, stream }).finally(() => stream.destroy());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first `size` bytes of a stream as text, and what follows as an async iterable. */
async function prefix(body, size) {
  const iterator = body[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  while (held.length < size) {
    const { value, done } = await iterator.next();
    if (done) throw new Refused(502, "the bucket's answer ended early");
    held = Buffer.concat([held, value]);
  }
  const head = held.subarray(0, size).toString("utf8");
  const rest = held.subarray(size);
  async function* stream() {
    if (rest.length > 0) yield rest;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return;
      yield value;
    }
  }
  const made = stream();
  made.destroy = () => body.destroy();
  return { head, stream: made };
}
