// Stands before the user's main module while it is examined. MAIN is replaced by its specifier.
import * as user from "MAIN";
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";

const HANDLERS = ["fetch", "scheduled", "queue", "email", "tail", "tailStream", "trace", "alarm", "connect", "test"];
const KINDS = [["durable-object", DurableObject], ["worker", WorkerEntrypoint], ["workflow", WorkflowEntrypoint]];

const isClass = (value) => typeof value === "function" && value.prototype !== undefined && /^class\b/.test(Function.prototype.toString.call(value));

function kindOf(value) {
  for (const [kind, base] of KINDS) if (value.prototype instanceof base) return kind;
  return "class";
}

function handlersOf(value) {
  if (value === null || value === undefined) return [];
  const target = typeof value === "function" ? value.prototype : value;
  if (target === null || typeof target !== "object") return [];
  return HANDLERS.filter((name) => typeof target[name] === "function");
}

export default {
  fetch() {
    const named = [];
    const classes = [];
    for (const name of Object.keys(user)) {
      if (name === "default") continue;
      const value = user[name];
      if (typeof value === "function" && (isClass(value) || value.prototype !== undefined)) {
        classes.push({ name, kind: kindOf(value) });
        named.push({ name, handlers: ["class", ...handlersOf(value)] });
      } else if (value !== null && typeof value === "object" && handlersOf(value).length > 0) {
        named.push({ name, handlers: handlersOf(value) });
      }
    }
    const main = user.default;
    return Response.json({ has_default: main !== undefined, handlers: handlersOf(main), named_handlers: named, classes });
  },
};
