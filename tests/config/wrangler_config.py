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


FIND = """
const { createRequire } = require("node:module");
const { root, folders } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { experimental_readRawConfig: read } = createRequire(root + "/package.json")("wrangler");
const answers = folders.map((folder) => {
  process.chdir(folder);
  try {
    const found = read({}, { useRedirectIfAvailable: true });
    return [found.configPath ?? null, found.userConfigPath ?? null];
  } catch (error) {
    return String(error.message);
  }
});
console.log("\\n" + JSON.stringify(answers));
"""


def find_configs(folders: list[Path], cwd: Path) -> list[Any]:
    """For each folder [config, user's config] as wrangler run there finds them, or the text of its error."""
    return _node(FIND, {"folders": [str(folder) for folder in folders]}, cwd)


def read_configs(pairs: list[tuple[Path, str | None]], cwd: Path) -> list[dict[str, Any]]:
    """For each pair `{"config": …}` as wrangler resolved it, or `{"error": text}`."""
    return _node(SCRIPT, {"pairs": [(str(file), environment) for file, environment in pairs]}, cwd)


def _node(script: str, given: dict[str, Any], cwd: Path) -> list[Any]:
    tools = ensure()
    done = subprocess.run(
        [str(tools.node), "-e", script],
        input=json.dumps({"root": str(tools.root), **given}),
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env={"PATH": "", "HOME": str(cwd), "WRANGLER_SEND_METRICS": "false"},
    )
    answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return answers
