"""How versions, deployments and environments look to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trailboss.cli.output import Output, table
from trailboss.cli.words_for import age, first_line, percent

if TYPE_CHECKING:
    from trailboss.config.compare import Difference, EnvironmentView
    from trailboss.config.environments import Listed
    from trailboss.release.deployments import DeployedVersion, DeploymentView
    from trailboss.release.model import Version


def tick(output: Output, text: str) -> None:
    """The line that says it is done."""
    output.line(f"{output.style('✓', '32;1', output.out)} {text}")


def versions(
    output: Output, found: tuple[Version, ...], proved: Mapping[str, tuple[str, ...]] | None = None
) -> None:
    """A table of versions, newest first; `proved` are the environments that had one's artifact, by its id."""
    proofs = proved or {}

    def row(version: Version) -> list[str]:
        bold = "1" if version.share else "0"
        return [
            output.style(version.label, bold, output.out),
            version.id[:8],
            output.style(percent(version.share), "32;1" if version.share else "2", output.out),
            age(version.created),
            (version.git_sha or "")[:7],
            (version.digest or "").removeprefix("sha256:")[:8],
            *([", ".join(proofs.get(version.id, ()))] if proofs else []),
            version.author or "",
            _about(version),
        ]

    rows = [row(version) for version in found]
    headings = ("version", "id", "traffic", "made", "git", "digest", *(["proved in"] if proofs else []))
    output.show(table((*headings, "by", "about"), rows, right=(2,)))


def _about(version: Version) -> str:
    text = first_line(version.message)
    parts = [f"[{version.tag}]" if version.tag else "", text]
    parts += [] if version.source == "upload" else [f"({version.source})"]
    return " ".join(part for part in parts if part)


def deployments(output: Output, found: tuple[DeploymentView, ...]) -> None:
    """A table of deployments, newest first; the live one is marked."""
    rows = [
        [
            output.style("●", "32;1", output.out) if item.current else " ",
            age(item.created),
            ", ".join(f"{name(version)} {percent(version.percentage)}" for version in item.versions),
            item.author or "",
            first_line(item.message) or f"({item.source})",
        ]
        for item in found
    ]
    output.show(table(("", "when", "traffic", "by", "about"), rows))


def split(output: Output, deployment: DeploymentView) -> None:
    """The versions of one deployment, each with a bar for its share."""
    rows = []
    for item in deployment.versions:
        filled = round(item.percentage / 5)
        bar = output.style("█" * filled, "32", output.out) + output.style(
            "░" * (20 - filled), "2", output.out
        )
        about = item.version
        rows.append(
            [
                output.style(name(item), "1", output.out),
                bar,
                percent(item.percentage),
                item.id[:8],
                age(about.created) if about else "",
                _about(about) if about else "",
            ]
        )
    output.show(table((), rows, right=(2,)))


def name(item: DeployedVersion) -> str:
    """`v12`, or the id's beginning when the version is too old to be listed."""
    return item.version.label if item.version else item.id[:8]


def environments(output: Output, found: tuple[Listed, ...]) -> None:
    """A table of environments; the active one is marked."""
    if not found:
        output.line("No environment yet. Add one: trailboss environments create staging")
        return
    rows = [
        [
            output.style("●", "32;1", output.out) if item.active else " ",
            output.style(item.name, "1" if item.active else "0", output.out),
            "protected" if item.protected else "",
            ", ".join(item.branches),
            item.target or "",
            ", ".join(item.workers),
        ]
        for item in found
    ]
    output.show(table(("", "environment", "", "branches", "target", "Workers"), rows))


def environment(output: Output, found: EnvironmentView) -> None:
    """One environment, Worker by Worker."""
    protected = " (protected)" if found.protected else ""
    output.line(f"Environment {output.style(found.name or '(top level)', '1', output.out)}{protected}")
    rows = [("", key, _short(value)) for key, value in found.settings.items() if key != "protected"]
    for worker in found.workers:
        rows += [("", "", ""), (worker.worker, worker.config, "")]
        rows += [("", f"{b.type} {b.name}", _short(b.resource)) for b in worker.bindings]
        rows += [("", f"vars {name}", _short(value)) for name, value in worker.vars.items()]
        rows += [("", "route", pattern) for pattern in worker.routes]
        rows += [("", "cron", cron) for cron in worker.crons]
        rows += [("", key, _short(value)) for key, value in worker.settings.items()]
    bold = [[output.style(first, "1", output.out), second, third] for first, second, third in rows]
    output.show(table((), bold))


def differences(output: Output, names: tuple[str, str], found: tuple[Difference, ...], hidden: int) -> None:
    """What differs, the side that lacks it left empty."""
    a, b = (name or "(top level)" for name in names)
    if found:
        rows = [[item.worker or "trailboss.toml", item.key, _short(item.a), _short(item.b)] for item in found]
        output.show(table(("", "", a, b), rows))
    else:
        tick(output, f"{a} and {b} are configured alike")
    if hidden:
        output.note(output.style(f"{hidden} more differ only by the environments' names (--all).", "2"))


def _short(value: object) -> str:
    """A value in one line: tables without their braces."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_short(item) for item in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
