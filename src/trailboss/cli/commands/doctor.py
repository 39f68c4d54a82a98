"""`trailboss doctor`: is everything here that a deploy needs?"""

from __future__ import annotations

from trailboss.cli.checks import Check, examine
from trailboss.cli.declare import command
from trailboss.cli.output import Output
from trailboss.cli.run import Run
from trailboss.cli.words_for import plural

MARKS = {"ok": ("✓", "32"), "warn": ("!", "33;1"), "fail": ("✗", "31;1")}


@command("trailboss doctor", "trailboss doctor --env production --json")
def doctor(run: Run) -> int:
    """Check this machine, the project, the target and the token, and say what to do about each problem.

    Changes nothing. The exit status is 1 when a check failed; warnings do not count.
    """
    found: list[Check] = []
    for check in examine(run):
        found.append(check)
        if not run.output.as_json:
            _show(run.output, check)
    failures = sum(check.state == "fail" for check in found)
    warnings = sum(check.state == "warn" for check in found)
    document = {"ok": not failures, "checks": found}
    run.result(document, lambda output: output.line(_summary(output, failures, warnings)))
    return 1 if failures else 0


def _show(output: Output, check: Check) -> None:
    mark, style = MARKS[check.state]
    output.line(f"{output.style(mark, style, output.out)} {check.name:<9} {check.message}")
    if check.hint and check.state != "ok":
        output.line(f"  {'':<9} {output.style('Try:', '36', output.out)} {check.hint}")


def _summary(output: Output, failures: int, warnings: int) -> str:
    if failures:
        return f"\n{plural(failures, 'problem')}, {plural(warnings, 'warning')}"
    return "\nEverything is here" + (f"; {plural(warnings, 'warning')}" if warnings else "")
