import type { Env } from "./env";

/** 1,024 dimensions: what the index `agency-knowledge-base` was created with. */
const EMBEDDING_MODEL = "@cf/baai/bge-large-en-v1.5";
const CHUNK_LENGTH = 1200;
const CHUNK_OVERLAP = 150;
const EMBED_AT_ONCE = 50;

export interface Passage {
  document: string;
  title: string;
  text: string;
  score: number;
}

/** Cut a text into overlapping pieces, at the end of a sentence or word where there is one. */
export function chunk(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (start < text.length) {
    let end = Math.min(start + CHUNK_LENGTH, text.length);
    if (end < text.length) {
      const window = text.slice(start, end);
      const stop = Math.max(window.lastIndexOf(". "), window.lastIndexOf("\n"));
      const cut = stop > CHUNK_LENGTH / 2 ? stop + 1 : window.lastIndexOf(" ");
      if (cut > CHUNK_OVERLAP) end = start + cut;
    }
    const piece = text.slice(start, end).trim();
    if (piece) pieces.push(piece);
    if (end >= text.length) break;
    start = end - CHUNK_OVERLAP;
  }
  return pieces;
}

export async function embed(env: Env, texts: string[]): Promise<number[][]> {
  const vectors: number[][] = [];
  for (let at = 0; at < texts.length; at += EMBED_AT_ONCE) {
    const answer = await env.AI.run(EMBEDDING_MODEL, { text: texts.slice(at, at + EMBED_AT_ONCE) });
    if (!("data" in answer) || !answer.data) throw new Error("the embedding model answered without vectors");
    vectors.push(...answer.data);
  }
  return vectors;
}

/** Keep the original in R2, its pieces in the index and a line about it in D1. The same id replaces the document. */
export async function ingest(env: Env, id: string, title: string, text: string): Promise<number> {
  const pieces = chunk(text);
  const vectors = await embed(env, pieces);
  const before = await env.SESSIONS.prepare("SELECT chunks FROM documents WHERE id = ?").bind(id).first<number>("chunks");
  await env.CONTENT.put(`documents/${id}.txt`, text, {
    httpMetadata: { contentType: "text/plain; charset=utf-8" },
    customMetadata: { title },
  });
  await env.KNOWLEDGE.upsert(
    vectors.map((values, number) => ({
      id: `${id}:${number}`,
      values,
      metadata: { document: id, title, text: pieces[number] },
    })),
  );
  const stale = Array.from({ length: Math.max(0, (before ?? 0) - pieces.length) }, (_, i) => `${id}:${pieces.length + i}`);
  if (stale.length > 0) await env.KNOWLEDGE.deleteByIds(stale);
  await env.SESSIONS.prepare(
    "INSERT INTO documents (id, title, chunks, created_at) VALUES (?, ?, ?, ?) " +
      "ON CONFLICT (id) DO UPDATE SET title = excluded.title, chunks = excluded.chunks",
  )
    .bind(id, title, pieces.length, Date.now())
    .run();
  return pieces.length;
}

/** The pieces nearest in meaning to `question`. */
export async function search(env: Env, question: string, count = 4): Promise<Passage[]> {
  const [vector] = await embed(env, [question]);
  const found = await env.KNOWLEDGE.query(vector, { topK: count, returnMetadata: "all" });
  return found.matches.map((match) => ({
    document: String(match.metadata?.document ?? ""),
    title: String(match.metadata?.title ?? ""),
    text: String(match.metadata?.text ?? ""),
    score: match.score,
  }));
}
