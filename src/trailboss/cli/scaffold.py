"""The files of a new project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from trailboss.errors import UsageError

CONFIGS = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

WORKER = """\
interface Env {
  GREETING: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== "/") return new Response("not found\\n", { status: 404 });
    return new Response(`${env.GREETING}\\n`);
  },
} satisfies ExportedHandler<Env>;
"""

WRANGLER = """\
{{
  "$schema": "https://unpkg.com/wrangler/config-schema.json",
  "name": {name},
  "main": "src/index.ts",
  "compatibility_date": "{date}",
  "observability": {{ "enabled": true }},
  "vars": {{ "GREETING": {greeting} }}
}}
"""

SETTINGS = """\
# What goes around the Workers; `trailboss schema` describes every key.
name = {name}
"""

ENVIRONMENT = """
[environments.{name}]
"""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What `init` did: files `written` and files `kept` because they were there, relative to `folder`."""

    name: str
    folder: Path
    adopted: bool
    written: tuple[str, ...]
    kept: tuple[str, ...]


def worker_name(wish: str) -> str:
    """A name Cloudflare takes, as near to `wish` as possible."""
    name = re.sub(r"[^a-z0-9]+", "-", wish.lower()).strip("-")[:63].strip("-")
    return name or "my-worker"


def check_name(name: str) -> str:
    """`name` itself.

    Raises:
        UsageError: TB9020 when Cloudflare would refuse it.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "TB9020",
            f'"{name}" cannot be the name of a Worker: letters a-z, digits and dashes, at most 63',
            hint=f"For example: {worker_name(name)}",
        )
    return name


def existing_config(folder: Path) -> Path | None:
    """The wrangler configuration in `folder`, when there is one."""
    return next((folder / name for name in CONFIGS if (folder / name).is_file()), None)


def scaffold(folder: Path, name: str, environments: tuple[str, ...]) -> Scaffold:
    """Write what is missing: everything for a new Worker, only trailboss.toml beside an existing
    configuration.

    Nothing that is there is changed, so it can be run again.

    Raises:
        UsageError: TB9020 the name.
    """
    adopted = existing_config(folder) is not None
    settings = SETTINGS.format(name=json.dumps(name))
    settings += "".join(ENVIRONMENT.format(name=environment) for environment in environments)
    files = {"trailboss.toml": settings}
    if not adopted:
        check_name(name)
        greeting = json.dumps(f"Hello from {name}")
        config = WRANGLER.format(name=json.dumps(name), date=compatibility_date(), greeting=greeting)
        files |= {"wrangler.jsonc": config, "src/index.ts": WORKER}
        files |= {".gitignore": "node_modules/\n.wrangler/\n.trailboss/\n.dev.vars*\n.env*\n!.env.example\n"}
    written = [file for file, text in files.items() if _write(folder / file, text)]
    kept = [file for file in files if file not in written]
    return Scaffold(name, folder, adopted, tuple(written), tuple(kept))


def _write(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def compatibility_date() -> str:
    """The newest date the pinned runtime knows, and never one in the future."""
    from trailboss.toolchain.install import LOCK

    pinned = json.loads((LOCK / "package.json").read_text())["dependencies"]["miniflare"]
    found = re.search(r"(\d{4})(\d{2})(\d{2})", pinned)
    today = datetime.now(UTC).date()
    known = date(*map(int, found.groups())) if found else today
    return min(known, today).isoformat()
