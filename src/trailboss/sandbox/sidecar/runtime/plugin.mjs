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

// A binding as it is, out of sight of what Miniflare changes in others.
const DIRECT = "export default (env) => env.worker;";

const extension = (name, esModule) => ({ name: `trailboss:${name}`, esModule, internal: true });

export const plugins = {
  [PLUGIN]: {
    bindingTypeDescription: "Trailboss binding",
    getBindings: (options) => ours(options.config).map(([name, binding]) => ({ name, ...binding.dev.options.raw })),
    getNodeBindings: () => ({}),
    getServices: () => [],
    getExtensions: () => [{ modules: [extension("dispatch-namespace", DISPATCH), extension("direct", DIRECT)] }],
  },
};
