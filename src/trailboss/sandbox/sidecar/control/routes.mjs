// The control port's table of routes.
import { D1 } from "../data/d1.mjs";
import { Kv } from "../data/kv.mjs";
import { R2 } from "../data/r2.mjs";
import { Refused } from "../errors.mjs";

export function routes(control, { supervisor, runtime, ingress, validator, config }) {
  control.json("PUT", "/state", (state) => supervisor.put(state));
  control.json("PUT", "/routing", (routing) => supervisor.route(routing));
  control.json("POST", "/validate", (worker) => validator.validate(worker));
  control.json("POST", "/exclusive/begin", () => supervisor.begin());
  control.json("POST", "/exclusive/end", () => supervisor.end());
  control.json("GET", "/health", () => ({
    ok: true,
    running: runtime.running,
    exclusive: supervisor.exclusive,
    pid: process.pid,
    ports: runtime.running ? Object.fromEntries(runtime.targets) : {},
    subdomain: config.account.subdomain,
  }));
  control.json("POST", "/access", async ({ application, claims }) => {
    const { access } = ingress;
    const app = access.application(application);
    if (app === undefined) throw new Refused(404, `no application guards ${application}`);
    return { jwt: await access.signer.sign(access.team, app, claims), aud: app.aud };
  });
  control.json("GET", "/stats", () => ingress.report());
  control.json("DELETE", "/stats", () => ingress.stats.reset());
  control.json("POST", "/invocations/take", () => ingress.stats.invocations.take());
  triggers(control, { supervisor, runtime, ingress });
  data(control, { supervisor, runtime, ingress });
  control.json("PUT", "/trace", ({ scripts }) => ingress.gate.pass(() => runtime.listen(scripts ?? "all")));
}

function triggers(control, { supervisor, runtime, ingress }) {
  for (const op of ["scheduled", "queue"]) {
    control.json("POST", `/trigger/${op}`, async ({ script, version, ...input }) => {
      await supervisor.running();
      return ingress.gate.pass(() => runtime.trigger(supervisor.target(script, version), op, input));
    });
  }
}

// A swap waits for data operations and holds new ones while it changes the runtime. They may pass while it drains: one of
// them may stand behind a Worker's own call to the API, which the drain waits for.
function data(control, { supervisor, runtime, ingress }) {
  const stores = { "/data/kv/": new Kv(runtime), "/data/d1/": new D1(runtime), "/data/r2/": new R2(runtime) };
  for (const [prefix, store] of Object.entries(stores)) {
    control.on("*", prefix, async (context) => {
      await supervisor.running();
      await ingress.gate.pass(() => store.handle(context), true);
    });
  }
}
