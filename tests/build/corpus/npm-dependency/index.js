import { tool } from "@scope/tool";
export default { fetch() { return new Response(tool()); } };
