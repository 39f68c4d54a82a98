import { WorkflowEntrypoint } from "cloudflare:workers";
export class Flow extends WorkflowEntrypoint { async run() {} }
export default {
  async fetch(request, env) {
    return new Response("hello");
  },
};
