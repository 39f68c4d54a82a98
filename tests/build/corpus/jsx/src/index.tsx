const h = (tag: unknown, props: unknown, ...children: unknown[]) => String(tag) + children.join("");
const Fragment = "fragment";

export default {
  fetch() {
    return new Response(<><p>hi</p></> as unknown as string);
  },
};
