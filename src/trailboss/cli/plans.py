"""How plans look to a person, and what plan, apply and the commands that edit the file share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trailboss.cli.output import Output
from trailboss.cli.words_for import plural

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.cli.stepping import Stepper
    from trailboss.config import Project
    from trailboss.plan.carry import Reveal
    from trailboss.plan.shown import ChangeShown, FieldShown, PlanShown
    from trailboss.values import Secret

SIGNS = {
    "create": ("+", "32"),
    "update": ("~", "33"),
    "replace": ("±", "31"),
    "delete": ("-", "31"),
    "adopt": (">", "36"),
    "release": ("<", "36"),
    "later": ("…", "2"),
    "conflict": ("!", "31;1"),
}
WORDS = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "adopt": "to adopt",
    "release": "to let go",
    "later": "for the next deploy",
    "conflict": "in conflict",
}
REASONS = {
    "drift": "changed by hand",
    "unfinished": "an earlier run was stopped here",
    "gone": "no longer in the file",
    "adopted": "there already, as the file wants it",
}


def addresses(run: Run, resources: tuple[str, ...]) -> tuple[str, ...]:
    """The resources to act on: those of `--resource`, and of a `--target` that names one (`queue.jobs`)."""
    from dataclasses import replace

    from trailboss.resources.registry import NAMES

    target = run.options.target or ""
    if target.partition(".")[0] in NAMES:
        run.options = replace(run.options, target=None)
        return (*resources, target)
    return resources


def in_environment(run: Run, name: str) -> Run:
    """The same command line in another environment: its settings, dotenv files and target."""
    from dataclasses import replace

    from trailboss.cli.run import Run

    found = Run(replace(run.options, env=name, cwd=None), run.output)
    found.said = run.said
    return found


def every_environment(run: Run) -> tuple[Run, ...]:
    """One run for each environment of the project; the top level where there is none."""
    return tuple(in_environment(run, name) for name in run.project.environments or ("",))


def revealer(run: Run, known: Mapping[str, Secret] | None = None) -> Reveal:
    """Turns the references of a spec into secrets, when they are about to be sent."""
    given = known or {}

    async def reveal(wanted: Mapping[str, str]) -> Mapping[str, Secret]:
        asked = await run.reveal({name: text for name, text in wanted.items() if text not in given})
        return {name: given[text] for name, text in wanted.items() if text in given} | asked

    return reveal


def is_production(project: Project) -> bool:
    """Whether what cannot be undone needs `--confirm` and not just a yes."""
    return project.protected or project.environment.name == "production"


def show(output: Output, plan: PlanShown) -> None:
    """The whole plan: a line for each change, its fields below it, and the sums."""
    for one in plan.changes:
        _line(output, one)
    for note in plan.notes:
        text = f"  · {note.kind} {_bold(output, note.name)}"
        output.line(f"{text}  {output.style(note.note, '2', output.out)}")
    if plan.changes or plan.notes:
        output.line("")
    output.line(summary(output, plan))
    if plan.untagged:
        output.warn(
            f"this account refuses resource tags ({plan.untagged}): names decide, and nothing is deleted"
        )


def summary(output: Output, plan: PlanShown) -> str:
    """`2 to create, 1 to update; 14 unchanged (9 API calls, 0.9 % of the budget)`."""
    counts = {word: sum(one.action == word for one in plan.changes) for word in WORDS}
    parts = [f"{count} {WORDS[word]}" for word, count in counts.items() if count and word != "later"]
    text = ", ".join(parts) if parts else "No changes"
    lost = sum(not one.undo for one in plan.changes)
    acts = any(one.action not in ("later", "conflict") for one in plan.changes)
    undo = f", of which {lost} cannot be undone" if lost else ", which can be undone"
    rest = undo if acts else ""
    rest += f"; {plan.unchanged} unchanged" if plan.unchanged else ""
    rest += f", {counts['later']} {WORDS['later']}" if counts["later"] else ""
    cost = f" ({plural(plan.calls, 'API call')}, {plan.budget:g} % of the budget)"
    return f"{output.style(text, '1', output.out)}{rest}{output.style(cost, '2', output.out)}"


def _line(output: Output, one: ChangeShown) -> None:
    sign, colour = SIGNS[one.action]
    reason = one.note or REASONS.get(one.why, "")
    tail = f"  {output.style(reason, '2', output.out)}" if reason else ""
    output.line(f"  {output.style(sign, colour, output.out)} {one.kind} {_bold(output, one.name)}{tail}")
    for field in one.fields:
        output.line(f"      {_field(field, one.action)}")
    if one.loses:
        output.line(f"      {output.style(f'cannot be undone: loses {one.loses}', '31', output.out)}")


def _bold(output: Output, text: str) -> str:
    return output.style(text, "1", output.out)


def _field(field: FieldShown, action: str) -> str:
    if action == "create":
        return f"{field.field}: {_value(field.after)}"
    forces = "  (forces a new one)" if field.forces else ""
    return f"{field.field}: {_value(field.before)} -> {_value(field.after)}{forces}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value or '""'
    return json.dumps(value, ensure_ascii=False)


def stepper(output: Output) -> Stepper:
    """Progress of an apply: what is under way, and on standard error a line for what has ended."""
    from trailboss.cli.stepping import Stepper

    return Stepper(output, SIGNS)
