export default { fetch() { return new Response(String(LEVEL)); } };
