// A Miniflare plugin: the supported way to hand workerd a binding that Miniflare's own options cannot say.
// A binding `{type: "unsafe:trailboss", dev: {plugin, options: {raw}}}` becomes workerd's `{name, ...raw}`.
export const PLUGIN = "trailboss";

const ours = (config) => Object.entries(config.env ?? {}).filter(([, binding]) => binding.type === `unsafe:${PLUGIN}`);

// The module of the dispatch namespace binding: `get(name)` gives a Fetcher that names the Worker it wants.
const DISPATCH = `
export default (env) => ({
  get: (name) => ({
    fetch: (input, init) => {
      const request = new Request(input, init);
      request.headers.set("x-trailboss-dispatch", name);
      return env.fetcher.fetch(request);
    },
  }),
});
`;

// The module of the Analytics Engine binding: points go to the control plane, also after the answer has gone out.
const ANALYTICS = `
import entrypoints from "cloudflare-internal:workers";
const text = (value) => (value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : value);
const list = (values, most, name) => {
  if (values !== undefined && values !== null && !Array.isArray(values)) throw new TypeError(\`\${name} must be an array\`);
  if ((values ?? []).length > most) throw new TypeError(\`Maximum of \${most} \${name} supported.\`);
  return values ?? [];
};
export default (env) => ({
  writeDataPoint(point = {}) {
    const body = JSON.stringify({
      indexes: list(point.indexes, 1, "indexes").map(text),
      blobs: list(point.blobs, 20, "blobs").map(text),
      doubles: list(point.doubles, 20, "doubles"),
    });
    entrypoints.waitUntil(env.fetcher.fetch("http://points/", { method: "POST", body }).then((answer) => answer.body?.cancel()));
  },
});
`;

// A binding as it is, out of sight of what Miniflare changes in others.
const DIRECT = "export default (env) => env.worker;";

const extension = (name, esModule) => ({ name: `trailboss:${name}`, esModule, internal: true });

export const plugins = {
  [PLUGIN]: {
    bindingTypeDescription: "Trailboss binding",
    getBindings: (options) => ours(options.config).map(([name, binding]) => ({ name, ...binding.dev.options.raw })),
    getNodeBindings: () => ({}),
    getServices: () => [],
    getExtensions: () => [{ modules: [extension("dispatch-namespace", DISPATCH), extension("direct", DIRECT), extension("analytics-engine", ANALYTICS)] }],
  },
};
