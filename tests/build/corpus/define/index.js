export default { fetch() { return new Response(BUILD + process.env.MODE); } };
