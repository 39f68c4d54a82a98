// Stands in for wrangler: says what it was given, so that a test can see that nothing was changed on the way.
const fs = require("node:fs");
const [, , ...args] = process.argv;
if (args[0] === "wait") {
  process.on("SIGINT", () => process.exit(42));
  console.log("waiting");
  setInterval(() => {}, 1000);
} else {
  const stdin = process.stdin.isTTY ? null : fs.readFileSync(0, "utf8");
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(CLOUDFLARE|CF|NO_COLOR|FORCE|PATH$)/.test(name)));
  console.log(JSON.stringify({ args, cwd: process.cwd(), stdin, env, tty: Boolean(process.stdout.isTTY) }));
  process.exit(Number(process.env.FAKE_STATUS ?? 0));
}
