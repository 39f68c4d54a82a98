// No orphans: if this process is killed outright, its workerd processes must not outlive it.
import childProcess from "node:child_process";

// Reads "add <pid>" and "del <pid>"; the end of input means that the side-car is gone, however that happened.
const GUARD = `
pids=
while read -r op pid; do
  case $op in
    add) pids="$pids $pid" ;;
    del) left=; for p in $pids; do [ "$p" = "$pid" ] || left="$left $p"; done; pids=$left ;;
  esac
done
for p in $pids; do kill -9 "$p" 2>/dev/null; done
`;

/**
 * Watch every workerd that is started from now on. Miniflare starts them itself and tells nobody their ids, so
 * `spawn` is wrapped. There is no such guard on Windows.
 */
export function guard() {
  if (process.platform === "win32") return;
  const { spawn } = childProcess;
  const shell = spawn("/bin/sh", ["-c", GUARD], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  shell.unref();
  shell.stdin.unref?.();
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  childProcess.spawn = (...args) => {
    const child = spawn(...args);
    if (child.pid !== undefined) {
      shell.stdin.write(`add ${child.pid}\n`);
      child.once("exit", () => shell.stdin.write(`del ${child.pid}\n`));
    }
    return child;
  };
}
