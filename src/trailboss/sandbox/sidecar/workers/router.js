// Stands between a service binding and a script whose deployment is split between versions.
import { WorkerEntrypoint } from "cloudflare:workers";

let weights = null;

function pick(env) {
  weights ??= env.WEIGHTS;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = Math.random() * total;
  for (let at = 0; at < weights.length; at += 1) {
    rest -= weights[at];
    if (weights[at] > 0 && rest < 0) return env[`V${at}`];
  }
  return env.V0;
}

/** Every method, property and event is the chosen version's; one instance (one call) stays with one version. */
export class Split extends WorkerEntrypoint {
  constructor(ctx, env) {
    super(ctx, env);
    const target = pick(env);
    const own = new Set(["fetch", "scheduled", "queue", "tail", "email", "ctx", "env", "constructor"]);
    return new Proxy(this, {
      get: (self, key) => {
        if (key === "fetch") return (request) => target.fetch(request);
        if (own.has(key) || typeof key === "symbol") return Reflect.get(self, key);
        return target[key];
      },
    });
  }

  fetch() {
    return undefined;
  }
}

export default {
  async fetch(request) {
    weights = await request.json();
    return new Response("ok");
  },
};
