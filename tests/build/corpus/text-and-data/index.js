import page from "./page.html";
import note from "./note.txt";
import query from "./query.sql";
import raw from "./raw.bin";
export default { fetch() { return new Response(page + note + query + raw.byteLength); } };
