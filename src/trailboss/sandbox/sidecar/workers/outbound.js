// What Workers fetch goes through here: names that this account serves are answered by the edge of this sandbox, as no
// name server knows them; everything else goes out as it is.
let hosts = null;

function served(hostname, env) {
  hosts ??= new Set(env.HOSTS);
  return hosts.has(hostname) || hosts.has(hostname.replace(/^[^.]+/, "*")) || env.SUFFIXES.some((suffix) => hostname.endsWith(suffix));
}

export default {
  async fetch(request, env) {
    if (request.headers.has("x-trailboss-hosts")) {
      hosts = new Set(await request.json());
      return new Response("done");
    }
    const url = new URL(request.url);
    if (!served(url.hostname, env)) return fetch(request);
    const inner = new Request(`http://${url.host}${url.pathname}${url.search}`, request);
    inner.headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
    return env.EDGE.fetch(inner);
  },
};
