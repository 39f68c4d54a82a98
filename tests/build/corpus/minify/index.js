import { aVeryLongName } from "./lib.js";
export default { fetch() { return new Response(String(aVeryLongName(1))); } };
