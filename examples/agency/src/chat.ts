import type { Env } from "./env";
import { event, readObject, readText } from "./http";
import { search, type Passage } from "./knowledge";
import { history, openSession, remember, type Message } from "./sessions";

const CACHE_SECONDS = 3600;
const STREAM_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" };

/**
 * POST /chat {message, session?}: an event stream of `session`, `sources`, many `token`s and `done`.
 * A question that opens a conversation is answered from the cache when it was asked before and passages were found.
 */
export async function chat(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const body = await readObject(request, 32 * 1024);
  const question = readText(body, "message", 4000);
  const session = await openSession(env, body.session === undefined ? undefined : readText(body, "session", 64));
  const earlier = await history(env, session);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const talk = new Conversation(env, writable.getWriter(), session, question);
  context.waitUntil(talk.run(earlier));
  return new Response(readable, { headers: { ...STREAM_HEADERS, "x-session": session } });
}

interface Cached {
  answer: string;
  sources: Passage[];
}

class Conversation {
  constructor(
    private readonly env: Env,
    private readonly out: WritableStreamDefaultWriter<Uint8Array>,
    private readonly session: string,
    private readonly question: string,
  ) {}

  async run(earlier: Message[]): Promise<void> {
    try {
      await this.send("session", { session: this.session });
      const key = earlier.length === 0 ? await cacheKey(this.question) : undefined;
      const cached = key ? await this.env.CACHE.get<Cached>(key, "json") : null;
      const { answer, sources } = cached ? await this.replay(cached) : await this.answer(earlier);
      await remember(this.env, this.session, this.question, answer);
      if (key && !cached && answer && sources.length > 0) {
        await this.env.CACHE.put(key, JSON.stringify({ answer, sources }), { expirationTtl: CACHE_SECONDS });
      }
      await this.send("done", { cached: cached !== null, length: answer.length });
    } catch (error) {
      console.error("chat failed", error);
      await this.send("error", { error: "the assistant could not answer; please try again" });
    } finally {
      await this.out.close();
    }
  }

  private async replay(cached: Cached): Promise<Cached> {
    await this.send("sources", cached.sources.map(citation));
    await this.send("token", { text: cached.answer });
    return cached;
  }

  private async answer(earlier: Message[]): Promise<Cached> {
    const sources = await search(this.env, this.question);
    await this.send("sources", sources.map(citation));
    const stream = (await this.env.AI.run(this.env.CHAT_MODEL as keyof AiModels, {
      messages: [{ role: "system", content: instructions(sources) }, ...earlier, { role: "user", content: this.question }],
      stream: true,
    })) as unknown as ReadableStream<Uint8Array>;
    let answer = "";
    for await (const text of tokens(stream)) {
      answer += text;
      await this.send("token", { text });
    }
    return { answer, sources };
  }

  private async send(name: string, data: unknown): Promise<void> {
    await this.out.write(event(name, data));
  }
}

function citation({ document, title, score }: Passage): Record<string, unknown> {
  return { document, title, score: Math.round(score * 1000) / 1000 };
}

function instructions(sources: Passage[]): string {
  if (sources.length === 0) return "You are the agency's assistant. Say so when you do not know something.";
  const quoted = sources.map((source, number) => `[${number + 1}] ${source.title}\n${source.text}`).join("\n\n");
  return `You are the agency's assistant. Answer from these passages and cite them as [n]:\n\n${quoted}`;
}

/** The texts inside Workers AI's event stream: lines `data: {"response": "..."}`, ended by `data: [DONE]`. */
async function* tokens(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data === "" || data === "[DONE]") continue;
      const { response } = JSON.parse(data) as { response?: string };
      if (response) yield response;
    }
  }
}

async function cacheKey(question: string): Promise<string> {
  const bytes = new TextEncoder().encode(question.toLowerCase().replace(/\s+/g, " "));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `answer:${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
