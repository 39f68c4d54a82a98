"""What `trailboss doctor` looks at, one small function each. A check finds out; it never repairs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trailboss.errors import CloudError, TrailbossError

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cloud import Cloud

State = Literal["ok", "warn", "fail"]
SKEW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `state` is "ok", "warn" or "fail"; `hint` says what to do about it."""

    name: str
    state: State
    message: str
    hint: str = ""
    code: str = ""


def failed(name: str, error: TrailbossError, state: State = "fail") -> Check:
    """An error as a finding."""
    return Check(name, state, str(error), error.hint, error.code)


def examine(run: Run) -> Iterator[Check]:
    """Every check, in the order in which one depends on another."""
    for name, check in LOCAL:
        try:
            yield check(run)
        except TrailbossError as error:
            yield failed(name, error)
    try:
        target = run.target
    except TrailbossError as error:
        yield failed("Target", error)
        return
    account = f", account {target.account_id}" if target.account_id else ""
    yield Check("Target", "ok", f"{target.name} at {target.base_url}{account}")
    yield from _online(run)


def python(_run: Run) -> Check:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version} at {sys.executable}")


def node(_run: Run) -> Check:
    """The Node that will run wrangler."""
    import subprocess

    from trailboss.toolchain import node_binary

    binary = node_binary()
    done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        return Check("Node", "fail", f"{binary} does not start", "Reinstall Trailboss, or put node on PATH.")
    return Check("Node", "ok", f"{done.stdout.strip()} at {binary}")


def wrangler(_run: Run) -> Check:
    """The project's own wrangler, else the pinned one."""
    import json

    from trailboss.build.wrangler import own_wrangler
    from trailboss.toolchain.folders import cache_root
    from trailboss.toolchain.install import LOCK, digest

    own = own_wrangler(Path.cwd())
    if own is not None:
        path, version = own
        state: State = "ok" if int(version.split(".")[0]) >= 4 else "warn"
        hint = "" if state == "ok" else "Builds use the pinned wrangler instead; upgrade the project's to 4."
        return Check("wrangler", state, f"{version}, the project's own, at {path}", hint)
    pinned = json.loads((LOCK / "package.json").read_text())["dependencies"]["wrangler"]
    if (cache_root() / "toolchain" / digest() / "complete").exists():
        return Check("wrangler", "ok", f"{pinned}, pinned and installed")
    return Check(
        "wrangler", "warn", f"{pinned}, pinned, not installed yet", "The first command that needs it will."
    )


def cache(_run: Run) -> Check:
    """The folder for everything that can be made again."""
    import tempfile

    from trailboss.toolchain import cache_root

    folder = cache_root()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return Check(
            "Cache", "fail", f"{folder}: {why}", "Set TRAILBOSS_CACHE_DIR to a folder you may write."
        )
    return Check("Cache", "ok", str(folder))


def project(run: Run) -> Check:
    """The configuration of the working folder."""
    found = run.project
    if not found.workers:
        return Check("Project", "warn", "no project in this folder", "Start one with `trailboss init`.")
    names = ", ".join(worker.name or "(unnamed)" for worker in found.workers)
    environment = found.environment.name or "top level"
    if found.warnings:
        return Check("Project", "warn", f"{names} ({environment}): {found.warnings[0]}")
    missing = [worker.main for worker in found.workers if worker.main and not worker.main.is_file()]
    if missing:
        built = "It may be made by the project's own build command."
        return Check("Project", "warn", f"{names} ({environment}): {missing[0]} is not there", built)
    return Check("Project", "ok", f"{names} ({environment})")


def sandbox(_run: Run) -> Check:
    """The sandbox on this machine, when there is one."""
    from trailboss.sandbox import process

    found = process.status()
    if not found.running:
        return Check("Sandbox", "ok", "not running")
    if found.details is None:
        return Check(
            "Sandbox", "fail", f"{found.name} does not answer", f"Stop and start it; its log is {found.log}"
        )
    where = found.connection.api_url if found.connection else ""
    return Check("Sandbox", "ok", f"{found.name} is running at {where}")


LOCAL: tuple[tuple[str, Callable[[Run], Check]], ...] = (
    ("Python", python),
    ("Node", node),
    ("wrangler", wrangler),
    ("Cache", cache),
    ("Project", project),
    ("Sandbox", sandbox),
)


def _online(run: Run) -> list[Check]:
    """Token, account and clock, in one connection."""

    async def ask(cloud: Cloud) -> list[Check]:
        return [await _token(cloud), *await _permissions(run, cloud), await _clock(cloud)]

    try:
        return run.call(ask)
    except TrailbossError as error:
        return [failed("API", error)]


async def _token(cloud: Cloud) -> Check:
    from trailboss.release.whoami import whoami

    identity = await whoami(cloud)
    active = [account for account in identity.accounts if account.active]
    who = f"{identity.kind}, {identity.status}" + (f", {identity.email}" if identity.email else "")
    if identity.status not in ("active", "unknown"):
        return Check("Token", "fail", who, "Make a new token in the Cloudflare dashboard.")
    if not active:
        hint = "Name it: CLOUDFLARE_ACCOUNT_ID, or account_id under [target] in trailboss.toml."
        return Check("Token", "warn", f"{who}; {len(identity.accounts)} accounts and none is chosen", hint)
    return Check("Token", "ok", f"{who}, account {active[0].name or active[0].id}")


async def _permissions(run: Run, cloud: Cloud) -> list[Check]:
    """Whether the token may do what an apply of this environment does; nothing without a project."""
    from trailboss.plan.permissions import standing
    from trailboss.plan.wanted import wanted
    from trailboss.release.whoami import whoami

    try:
        if not run.project.workers and run.project.file is None:
            return []
        identity, want = await whoami(cloud), wanted(run.project)
        if identity.kind == "global key":
            return [Check("Rights", "ok", "a global key may do everything")]
        owned = identity.kind == "account token"
        found = await standing(cloud, (want,), token=identity.token_id, owned_by_account=owned)
    except TrailbossError as error:
        return [failed("Rights", error)]
    if found.missing:
        names = ", ".join(one.name for one in found.missing)
        hint = "Add them to the token; `trailboss token permissions` says what each is for."
        return [Check("Rights", "fail", f"the token lacks {names}", hint)]
    if not found.told:
        hint = (
            "Give it 'API Tokens Read' (an account's token: 'Account API Tokens Read') to have that checked."
        )
        return [Check("Rights", "ok", "it may read what a plan reads; it cannot see what it may write", hint)]
    return [Check("Rights", "ok", "the token has every permission that an apply needs")]


async def _clock(cloud: Cloud) -> Check:
    """How far this machine's clock is from the API's: signatures and expiries depend on it."""
    from email.utils import parsedate_to_datetime

    before = time.time()
    try:
        reply = await cloud.raw("GET", "/user/tokens/verify")
    except CloudError:  # a token of an account's own is no user's
        before = time.time()
        reply = await cloud.raw("GET", f"{cloud.account}/tokens/verify")
    header = next((value for name, value in dict(reply.headers).items() if name.lower() == "date"), "")
    if not header:
        return Check("Clock", "ok", "the API does not say its time")
    skew = parsedate_to_datetime(header).timestamp() - (before + time.time()) / 2
    if abs(skew) > SKEW_SECONDS:
        return Check("Clock", "warn", f"{skew:+.0f} s from the API's", "Let the machine set its clock (NTP).")
    return Check("Clock", "ok", "agrees with the API's")
