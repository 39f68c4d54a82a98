import md from "./read.md";
export default { fetch() { return new Response(md); } };
