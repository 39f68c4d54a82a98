import t from "./x.txt";
import m from "./m.wasm";
addEventListener("fetch", (event) => event.respondWith(new Response(t + typeof m)));
