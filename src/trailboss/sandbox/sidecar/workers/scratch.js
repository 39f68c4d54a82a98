// Starts a version that is not deployed, in a runtime of its own, to see whether it starts and what it exports.
const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer;

function modulesOf(list) {
  const modules = {};
  for (const { name, type, text, data } of list) modules[name] = { [type]: data === undefined ? text : bytes(data) };
  return modules;
}

export default {
  async fetch(request, env) {
    const { id, main, modules, date, flags, vars } = await request.json();
    try {
      const worker = env.LOADER.get(id, () => ({
        compatibilityDate: date,
        compatibilityFlags: flags,
        mainModule: main,
        modules: modulesOf(modules),
        env: vars,
        globalOutbound: null,
      }));
      const answer = await worker.getEntrypoint().fetch("http://probe/");
      return Response.json({ ok: true, ...(await answer.json()) });
    } catch (error) {
      return Response.json({ ok: false, message: error?.message ?? String(error) });
    }
  },
};
