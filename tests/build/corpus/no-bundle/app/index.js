import { other } from "./other.js";
import page from "./page.html";
export default { fetch() { return new Response(page + other); } };
