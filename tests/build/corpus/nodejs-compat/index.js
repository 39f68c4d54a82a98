import { EventEmitter } from "node:events";
import cluster from "node:cluster";
export default { fetch() { return new Response(process.version + new EventEmitter() + cluster); } };
