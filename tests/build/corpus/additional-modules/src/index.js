export default { async fetch(request) { const path = "./lazy/one.js"; return new Response(String((await import(path)).default)); } };
