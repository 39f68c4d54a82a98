import type { Env } from "./env";
import { Problem, json, readObject, readText } from "./http";
import { ingest } from "./knowledge";

/** POST /documents {title, text, id?}: into the knowledge base. */
export async function addDocument(request: Request, env: Env): Promise<Response> {
  const body = await readObject(request);
  const title = readText(body, "title", 200);
  const text = readText(body, "text", 200_000);
  const id = body.id === undefined ? crypto.randomUUID() : readText(body, "id", 40);
  if (!/^[\w.-]+$/.test(id)) throw new Problem(400, '"id" may have letters, digits, dots, dashes and underscores');
  const chunks = await ingest(env, id, title, text);
  return json({ id, title, chunks }, 201);
}

/** POST /content {prompt, title?}: written by the model now, kept in R2. */
export async function generate(request: Request, env: Env): Promise<Response> {
  const body = await readObject(request);
  const prompt = readText(body, "prompt", 8000);
  const title = body.title === undefined ? "untitled" : readText(body, "title", 200);
  const answer = (await env.AI.run(env.CHAT_MODEL as keyof AiModels, { prompt })) as { response?: string };
  const key = `generated/${crypto.randomUUID()}.md`;
  const text = answer.response ?? "";
  await env.CONTENT.put(key, text, {
    httpMetadata: { contentType: "text/markdown; charset=utf-8" },
    customMetadata: { title },
  });
  return json({ key, title, length: text.length, url: `/content/${key}` }, 201);
}

/** GET /content/:key: what was generated, with conditional and range requests as R2 answers them. */
export async function readContent(request: Request, env: Env, key: string): Promise<Response> {
  if (key === "" || key.includes("..")) throw new Problem(400, "that is not a content key");
  const object = await env.CONTENT.get(key, { onlyIf: request.headers, range: request.headers });
  if (object === null) throw new Problem(404, "there is no such content");
  const headers = new Headers();
  object.writeHttpMetadata(headers);
  headers.set("etag", object.httpEtag);
  if (!("body" in object)) return new Response(null, { status: 304, headers });
  const partial = request.headers.has("range") && object.range !== undefined;
  if (partial) headers.set("content-range", rangeOf(object));
  return new Response(object.body, { status: partial ? 206 : 200, headers });
}

function rangeOf(object: R2Object): string {
  const range = object.range as { offset?: number; length?: number };
  const start = range.offset ?? 0;
  const end = range.length === undefined ? object.size - 1 : start + range.length - 1;
  return `bytes ${start}-${end}/${object.size}`;
}
