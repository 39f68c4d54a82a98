export default { async queue() {}, fetch() { return new Response("q"); } };
