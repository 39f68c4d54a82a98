export default { async scheduled() {}, fetch() { return new Response("c"); } };
