import { chat } from "./chat";
import { addDocument, generate, readContent } from "./content";
import type { Env, Job } from "./env";
import { Problem, json } from "./http";
import { createJob, showJob, work } from "./jobs";
import { forgetOld, history } from "./sessions";

async function route(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const { pathname } = new URL(request.url);
  const asked = `${request.method} ${pathname}`;
  switch (asked) {
    case "POST /chat":
      return chat(request, env, context);
    case "POST /documents":
      return addDocument(request, env);
    case "POST /content":
      return generate(request, env);
    case "POST /jobs":
      return createJob(request, env);
    case "GET /health":
      return health(env);
  }
  const [, section, ...rest] = pathname.split("/");
  if (request.method === "GET" && section === "content") return readContent(request, env, decode(rest.join("/")));
  if (request.method === "GET" && section === "jobs") return showJob(env, decode(rest.join("/")));
  if (request.method === "GET" && section === "sessions") return json({ messages: await history(env, decode(rest.join("/")), 100) });
  if (request.method === "GET" || request.method === "HEAD") return env.ASSETS.fetch(request);
  throw new Problem(404, `nothing answers ${asked}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem(400, "the address is not well formed");
  }
}

/** Which version answers, and whether its database is there. */
async function health(env: Env): Promise<Response> {
  const { id, tag, timestamp } = env.VERSION;
  const sessions = await env.SESSIONS.prepare("SELECT count(*) AS n FROM sessions").first<number>("n");
  return json({ ok: true, version: { id, tag, timestamp }, sessions });
}

export default {
  async fetch(request, env, context): Promise<Response> {
    try {
      return await route(request, env, context);
    } catch (error) {
      if (error instanceof Problem) return json({ error: error.message }, error.status);
      console.error("unexpected", error);
      return json({ error: "something went wrong on our side" }, 500);
    }
  },

  async queue(batch, env): Promise<void> {
    await work(batch, env);
  },

  async scheduled(controller, env): Promise<void> {
    const gone = await forgetOld(env, controller.scheduledTime);
    console.log(`forgot ${gone} old sessions`);
  },
} satisfies ExportedHandler<Env, Job>;
