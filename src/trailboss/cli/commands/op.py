"""`trailboss op init`: this project's secrets in 1Password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailboss.cli.declare import command
from trailboss.cli.output import Output, table
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural

if TYPE_CHECKING:
    from trailboss.secrets.op_init import Check, OpInit, Plain

BACKENDS = ("auto", "op", "service-account", "connect", "environment")


@dataclass(frozen=True, slots=True)
class File:
    """A file that was written: `added` are the names that were put into it; `new` says that it was made."""

    path: str
    new: bool
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """How `op init` went. `unchecked` says why 1Password could not be asked, null when it was."""

    vault: str
    written: tuple[File, ...]
    checks: tuple[Check, ...]
    plain: tuple[Plain, ...]
    unchecked: str | None

    @property
    def ok(self) -> bool:
        """Whether every reference was seen in its vault, and no value stands in the clear."""
        return self.unchecked is None and not self.plain and all(c.state == "found" for c in self.checks)


@command(
    "trailboss op init",
    "trailboss op init --vault Agency --environment staging --environment production",
    "trailboss op init --check --json",
)
@click.option("--vault", metavar="NAME", help="The vault that new references name; else [secrets] vault.")
@click.option("--backend", type=click.Choice(BACKENDS), help="How references are resolved from now on.")
@click.option(
    "--environment", "environments", multiple=True, metavar="NAME", help="Only this one; may repeat."
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; status 1 unless all is in order.")
def init(
    run: Run, vault: str | None, backend: str | None, environments: tuple[str, ...], only_check: bool
) -> int:
    """Keep this project's secrets in 1Password.

    Writes [secrets] into trailboss.toml and a .env.ENVIRONMENT of references for every environment, with a
    line for each secret that the Workers require or that .dev.vars names; every line that is there stays.
    Then each reference is looked up, all with one question. It can be run again: it adds what is missing.
    """
    from trailboss.secrets.op_init import apply, plan_op_init

    plan = plan_op_init(run.project, vault=vault, backend=backend, environments=environments)
    if not only_check:
        apply(plan)
    checks, unchecked = _checked(run, plan, backend)
    written = (
        () if only_check else tuple(_file(write.path, write.exists, write.added) for write in plan.writes)
    )
    report = Report(plan.vault, written, checks, plan.plain, unchecked)
    run.result({"ok": report.ok, **_fields(report)}, lambda output: _show(output, report))
    return 1 if only_check and (not report.ok or plan.writes) else 0


def _checked(run: Run, plan: OpInit, backend: str | None) -> tuple[tuple[Check, ...], str | None]:
    """What 1Password says of the references; where it cannot be asked, why."""
    from trailboss.errors import SecretError
    from trailboss.secrets.op_init import check

    settings = run.secrets.model_copy(update={"backend": backend} if backend else {})
    try:
        run.output.progress("looking up every reference")
        return run.wait(check(plan, run.environ.plain, settings)), None
    except SecretError as error:
        return (), f"{error} {error.hint}".strip()


def _file(path: Path, exists: bool, added: tuple[str, ...]) -> File:
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return File(str(shown), not exists, added)


def _fields(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in ("vault", "written", "checks", "plain", "unchecked")}


def _show(output: Output, report: Report) -> None:
    from trailboss.cli import views

    for file in report.written:
        names = f": {', '.join(file.added)}" if file.added else ""
        output.line(f"  {output.style('+', '32', output.out)} {file.path}{names}")
    if not report.written:
        output.line("  The files have everything.")
    cells = [
        [
            output.style(*_MARKS[one.state], output.out),
            one.environment,
            one.name,
            one.problem or one.reference,
        ]
        for one in report.checks
    ]
    if cells:
        output.line()
        output.show(table(("", "environment", "name", ""), cells))
    output.line()
    if report.ok:
        views.tick(output, f"{plural(len(report.checks), 'reference')} found in 1Password")
        return
    _complain(output, report)


_MARKS = {"found": ("✓", "32"), "wrong": ("✗", "31"), "unchecked": ("?", "33")}


def _complain(output: Output, report: Report) -> None:
    if report.unchecked:
        output.warn(f"Nothing was looked up: {report.unchecked}")
    wrong = [one for one in report.checks if one.state != "found"]
    if wrong:
        output.warn(
            f"{plural(len(wrong), 'reference')} not found: make the items in 1Password, or change the lines; "
            "then run this again."
        )
    for one in report.plain:
        output.warn(
            f"{one.name} stands in the clear at {one.where}: move it into the vault, and refer to it."
        )
