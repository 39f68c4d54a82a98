import { thing } from "thing";
export default { fetch() { return new Response(thing); } };
