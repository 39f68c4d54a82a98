// Loaded before wrangler (node --require): lets it load and holds it just before it reads its arguments, until
// one job comes over a socket or nobody comes. Then this process is that wrangler run, from its first line to
// its end: nothing of it serves a second job. See spare.py.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { MessageChannel, Worker, isMainThread, receiveMessageOnPort } = require("node:worker_threads");

// A thread of its own takes the job, as wrangler's loading and our waiting leave this one no time to.
const DOOR = `
const net = require("node:net");
const { workerData: { flag, port, socket } } = require("node:worker_threads");
const server = net.createServer({ allowHalfOpen: true }, (client) => {
  server.close();
  let text = "";
  client.setEncoding("utf8");
  client.on("data", (part) => {
    text += part;
    if (!text.endsWith("\\n")) return;
    port.postMessage(text);
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
  // Who asked does not want the answer any more: it ended, or was interrupted.
  for (const event of ["end", "error"]) client.on(event, () => process.kill(process.pid, "SIGKILL"));
});
server.listen(socket);
`;

function hold({ folder, delay, patience }) {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const workerData = { flag, port: port2, socket: path.join(folder, "socket") };
  new Worker(DOOR, { eval: true, workerData, transferList: [port2], execArgv: [] }).unref();
  const given = process.argv;
  const end = process.reallyExit;
  let job = null;
  // Set once and early: a library of wrangler's keeps what it finds here, and calls it last.
  process.reallyExit = (code) => {
    if (job === null) {
      fs.rmSync(folder, { recursive: true, force: true });
      end.call(process, code);
    }
    const status = path.join(folder, "status");
    fs.writeFileSync(`${status}.part`, String(code ?? process.exitCode ?? 0));
    fs.renameSync(`${status}.part`, status);
    process.kill(process.pid, "SIGKILL"); // what is left to take down holds nothing
  };
  Object.defineProperty(process, "argv", {
    configurable: true,
    enumerable: true,
    get: () => {
      if (job === null && isWranglersStart(given[1])) job = [...given.slice(0, 2), ...begin(take())];
      return job ?? given;
    },
  });

  function take() {
    fs.writeFileSync(path.join(folder, "ready"), "");
    if (Atomics.wait(flag, 0, 0, patience) === "timed-out") process.reallyExit(0);
    return JSON.parse(receiveMessageOnPort(port1).message);
  }

  function begin({ words, variables }) {
    Object.assign(process.env, variables);
    process.on("beforeExit", () => process.exit());
    return words;
  }

  // Not at once: the command that left us behind has the processor's first claim.
  Atomics.wait(flag, 0, 0, delay);
}

// Whether the arguments are read by the last lines of the program itself, and by no library while it loads.
function isWranglersStart(program) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 3;
  const caller = new Error().stack.split("\n")[3] ?? "";
  Error.stackTraceLimit = limit;
  return caller.includes(" Object.<anonymous> ") && caller.includes(`${path.basename(program)}:`);
}

if (isMainThread && process.env.TRAILBOSS_SPARE) {
  const asked = JSON.parse(process.env.TRAILBOSS_SPARE);
  delete process.env.TRAILBOSS_SPARE;
  hold(asked);
}
