import { JOB_KINDS, type Env, type Job, type JobKind } from "./env";
import { Problem, json, readObject, readText } from "./http";

interface JobRow {
  id: string;
  kind: JobKind;
  state: string;
  input: string;
  result: string | null;
  error: string | null;
}

const PROMPTS: Record<JobKind, string> = {
  summary: "Summarise the following text in three sentences:",
  article: "Write a short article for the agency's blog about:",
};

/** POST /jobs {kind, input}: work for later. Answers 202 with the job's address. */
export async function createJob(request: Request, env: Env): Promise<Response> {
  const body = await readObject(request);
  const kind = readText(body, "kind", 20) as JobKind;
  if (!JOB_KINDS.includes(kind)) throw new Problem(400, `"kind" must be one of ${JOB_KINDS.join(", ")}`);
  const input = readText(body, "input", 20_000);
  const id = crypto.randomUUID();
  await env.SESSIONS.prepare("INSERT INTO jobs (id, kind, state, input, created_at) VALUES (?, ?, 'waiting', ?, ?)")
    .bind(id, kind, input, Date.now())
    .run();
  await env.JOBS.send({ id, kind });
  return json({ id, state: "waiting", url: `/jobs/${id}` }, 202);
}

/** GET /jobs/:id: how far it is, and where its result can be read. */
export async function showJob(env: Env, id: string): Promise<Response> {
  const job = await findJob(env, id);
  if (!job) throw new Problem(404, "there is no such job");
  const { state, kind, result, error } = job;
  return json({ id, kind, state, content: result ? `/content/${result}` : null, error });
}

/** The queue's consumer: every message stands for itself, so one that fails does not hold up the others. */
export async function work(batch: MessageBatch<Job>, env: Env): Promise<void> {
  for (const message of batch.messages) {
    try {
      await perform(env, message.body);
      message.ack();
    } catch (error) {
      console.error("job failed", message.body.id, error);
      await finish(env, message.body.id, "failed", null, String(error));
      message.retry({ delaySeconds: Math.min(2 ** message.attempts, 60) });
    }
  }
}

async function perform(env: Env, { id, kind }: Job): Promise<void> {
  const job = await findJob(env, id);
  if (!job || job.state === "done") return; // delivered twice: queues promise at least once
  await env.SESSIONS.prepare("UPDATE jobs SET state = 'running' WHERE id = ?").bind(id).run();
  const prompt = `${PROMPTS[kind]}\n\n${job.input}`;
  const answer = (await env.AI.run(env.CHAT_MODEL as keyof AiModels, { prompt })) as { response?: string };
  const key = `${kind}/${id}.md`;
  await env.CONTENT.put(key, answer.response ?? "", { httpMetadata: { contentType: "text/markdown; charset=utf-8" } });
  await finish(env, id, "done", key, null);
}

async function finish(env: Env, id: string, state: string, result: string | null, error: string | null): Promise<void> {
  await env.SESSIONS.prepare("UPDATE jobs SET state = ?, result = ?, error = ?, finished_at = ? WHERE id = ?")
    .bind(state, result, error, Date.now(), id)
    .run();
}

function findJob(env: Env, id: string): Promise<JobRow | null> {
  return env.SESSIONS.prepare("SELECT id, kind, state, input, result, error FROM jobs WHERE id = ?").bind(id).first<JobRow>();
}
