// A Miniflare plugin: the supported way to hand workerd a binding that Miniflare's own options cannot say.
// A binding `{type: "unsafe:trailboss", dev: {plugin, options: {raw}}}` becomes workerd's `{name, ...raw}`.
export const PLUGIN = "trailboss";

const ours = (config) => Object.entries(config.env ?? {}).filter(([, binding]) => binding.type === `unsafe:${PLUGIN}`);

// The module of the dispatch namespace binding: `get(name)` gives a Fetcher that names the Worker it wants.
const DISPATCH = `
export default (env) => ({
  get: (name, _args, options) => ({
    fetch: (input, init) => {
      const request = new Request(input, init);
      request.headers.set("x-trailboss-dispatch", name);
      if (options?.outbound !== undefined) request.headers.set("x-trailboss-outbound", JSON.stringify(options.outbound));
      return env.fetcher.fetch(request);
    },
  }),
});
`;

export const plugins = {
  [PLUGIN]: {
    bindingTypeDescription: "Trailboss binding",
    getBindings: (options) => ours(options.config).map(([name, binding]) => ({ name, ...binding.dev.options.raw })),
    getNodeBindings: () => ({}),
    getServices: () => [],
    getExtensions: () => [{ modules: [{ name: "trailboss:dispatch-namespace", esModule: DISPATCH, internal: true }] }],
  },
};
