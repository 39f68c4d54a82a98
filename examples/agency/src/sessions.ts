import type { Env } from "./env";
import { Problem } from "./http";

export interface Message {
  role: "user" | "assistant";
  content: string;
}

const REMEMBERED = 10;

/** The session called `id`, or a new one when none is named. */
export async function openSession(env: Env, id: string | undefined): Promise<string> {
  const now = Date.now();
  if (id === undefined) {
    const fresh = crypto.randomUUID();
    await env.SESSIONS.prepare("INSERT INTO sessions (id, created_at, seen_at) VALUES (?, ?, ?)").bind(fresh, now, now).run();
    return fresh;
  }
  const touched = await env.SESSIONS.prepare("UPDATE sessions SET seen_at = ? WHERE id = ?").bind(now, id).run();
  if (touched.meta.changes === 0) throw new Problem(404, "there is no such session");
  return id;
}

/** What was said last, oldest first. */
export async function history(env: Env, session: string, count = REMEMBERED): Promise<Message[]> {
  const { results } = await env.SESSIONS.prepare(
    "SELECT role, content FROM messages WHERE session_id = ? ORDER BY id DESC LIMIT ?",
  )
    .bind(session, count)
    .all<Message>();
  return results.reverse();
}

/** Keep one question and its answer, both or neither. */
export async function remember(env: Env, session: string, question: string, answer: string): Promise<void> {
  const insert = env.SESSIONS.prepare("INSERT INTO messages (session_id, role, content, created_at) VALUES (?, ?, ?, ?)");
  const now = Date.now();
  await env.SESSIONS.batch([insert.bind(session, "user", question, now), insert.bind(session, "assistant", answer, now)]);
}

/** Forget conversations nobody came back to. */
export async function forgetOld(env: Env, now = Date.now()): Promise<number> {
  const before = now - Number(env.SESSION_DAYS) * 86_400_000;
  const [, gone] = await env.SESSIONS.batch([
    env.SESSIONS.prepare("DELETE FROM messages WHERE session_id IN (SELECT id FROM sessions WHERE seen_at < ?)").bind(before),
    env.SESSIONS.prepare("DELETE FROM sessions WHERE seen_at < ?").bind(before),
  ]);
  return gone.meta.changes;
}
