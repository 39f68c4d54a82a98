"""What real wrangler makes of configs: its `readConfig` over (file, environment) pairs in one process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from trailboss.toolchain import ensure

SCRIPT = """
const { createRequire } = require("node:module");
const { root, pairs } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { unstable_readConfig: read } = createRequire(root + "/package.json")("wrangler");
const answers = pairs.map(([config, env]) => {
  try {
    return { config: read({ config, env: env ?? undefined }, { hideWarnings: true }) };
  } catch (error) {
    return { error: String(error.message) };
  }
});
console.log("\\n" + JSON.stringify(answers));
"""


def read_configs(pairs: list[tuple[Path, str | None]], cwd: Path) -> list[dict[str, Any]]:
    """For each pair `{"config": …}` as wrangler resolved it, or `{"error": text}`."""
    tools = ensure()
    done = subprocess.run(
        [str(tools.node), "-e", SCRIPT],
        input=json.dumps({"root": str(tools.root), "pairs": [(str(f), e) for f, e in pairs]}),
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env={"PATH": "", "HOME": str(cwd), "WRANGLER_SEND_METRICS": "false"},
    )
    answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answers
