"""The way out: what our uploader does not know is deployed by wrangler itself, in the same account."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.errors import ReleaseError
from trailboss.release.passing import Pass
from trailboss.release.reading import read_catalogue
from trailboss.release.secret_pipe import secrets_pipe

if TYPE_CHECKING:
    from trailboss.build.subject import WorkerLike
    from trailboss.cloud import Cloud


def why_wrangler(now: Pass) -> str | None:
    """Why this Worker goes through wrangler; None when we deploy it ourselves."""
    from trailboss.build import needs_wrangler

    return needs_wrangler(now.worker, now.subject.options)


async def hand_over(now: Pass, reason: str, command: tuple[str, ...] = ("deploy",)) -> Pass:
    """Run `wrangler <command>` for the Worker and read back what it made live.

    Raises ReleaseError TB4090 with the end of wrangler's output when it fails, TB4091 for a preview.
    """
    from trailboss.build.wrangler import find, run
    from trailboss.toolchain.folders import with_programs

    refuse_copy(now.worker, reason)
    now.progress(f"{now.name} is deployed by wrangler: {reason}")
    wrangler = await asyncio.to_thread(find, now.subject.base, now.progress)
    with tempfile.TemporaryDirectory(prefix="trailboss-") as folder:
        env = with_programs(await _environment(now.account, Path(folder)), now.subject.base)
        with secrets_pipe(Path(folder), now.options.secrets) as more:
            output = await asyncio.to_thread(
                run, wrangler, [*_arguments(now, command), *more], cwd=now.subject.base, env=env
            )
    if output.status != 0:
        tail = "\n".join((output.stdout + output.stderr).strip().splitlines()[-15:])
        raise ReleaseError(
            "TB4090",
            f"wrangler could not deploy {now.name} (exit {output.status}):\n{tail}",
            hint=f"Trailboss left it to wrangler because {reason}.",
        )
    catalogue = await read_catalogue(now.account, now.name)
    whole = catalogue.current.whole if catalogue.current else None
    live = catalogue.by_id(whole) if whole else None
    return now.noting(version_id=whole, version_number=live.number if live else None, why=reason)


def refuse_copy(worker: WorkerLike, reason: str | None) -> None:
    """wrangler reads the file, where a preview is not: it would deploy what that is a copy of.

    Raises ReleaseError TB4091 when there is a reason to hand a preview over.
    """
    if reason is not None and worker.resolved.document.derived is not None:
        raise ReleaseError(
            "TB4091",
            f"{worker.name} is a preview, and only wrangler could deploy it, which knows none: {reason}",
            hint=f"Write it into the files: trailboss environments create {worker.environment}",
        )


def _arguments(now: Pass, command: tuple[str, ...]) -> list[str]:
    options, subject = now.options, now.subject
    arguments = [*command, "--config", str(subject.config), *subject.options.build_arguments()]
    arguments += ["--env", subject.wrangler_environment] if subject.environments else []
    for flag, value in (("--message", options.message), ("--tag", options.tag)):
        arguments += [flag, value] if value else []
    for key, text in subject.options.var.items():
        arguments += ["--var", f"{key}:{text}"]
    return [*arguments, "--keep-vars"] if options.keep_vars else arguments


async def _environment(cloud: Cloud, log_folder: Path) -> dict[str, str]:
    """The target as wrangler reads it. The token goes into the child's environment, never into its
    arguments."""
    from trailboss.build.wrangler import environment
    from trailboss.cloud import GlobalKey

    found = environment(log_folder, os.environ)
    found |= {
        "CLOUDFLARE_API_BASE_URL": cloud.target.base_url,
        "CLOUDFLARE_ACCOUNT_ID": await cloud.account_id(),
    }
    token = cloud.target.token
    if isinstance(token, GlobalKey):
        return found | {"CLOUDFLARE_EMAIL": token.email, "CLOUDFLARE_API_KEY": token.key.reveal()}
    found = {
        key: value for key, value in found.items() if key not in ("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL")
    }
    return found | {"CLOUDFLARE_API_TOKEN": token.reveal()}
