interface Env {
  VISITS: KVNamespace;
  VERSION: WorkerVersionMetadata;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const path = new URL(request.url).pathname;
    if (path !== "/") {
      return new Response(`nothing at ${path}\n`, { status: 404 });
    }
    const visits = Number((await env.VISITS.get("visits")) ?? 0) + 1;
    await env.VISITS.put("visits", String(visits));
    return new Response(`Hello from version one\nvisit ${visits}, ${env.VERSION.id.slice(0, 8)}\n`);
  },
} satisfies ExportedHandler<Env>;
