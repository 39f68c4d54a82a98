function named() {}
export default { fetch() { return new Response(named.name); } };
