"""A plan in a file: looked at now, carried out later, and refused when anything changed in between."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailboss.errors import ConfigError, ConflictError
from trailboss.plan.owner import Owner
from trailboss.plan.plan import Plan
from trailboss.values import Location

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """What a later apply must find again. Values of fields are for people; secrets are not among them."""

    account: str
    project: str
    environment: str
    fingerprint: str
    adopt: bool
    targets: tuple[str, ...]

    @property
    def owner(self) -> Owner:
        """Whose plan it is."""
        return Owner(self.project, self.environment)


def save(file: Path, plan: Plan, account: str, *, adopt: bool, targets: tuple[str, ...], shown: Any) -> None:
    """Write `plan` to `file`; `shown` is the same for people.

    Raises:
        ConfigError: TB1234 the file cannot be written.
    """
    owner = plan.owner
    saved = Saved(account, owner.project, owner.environment, plan.fingerprint, adopt, targets)
    text = json.dumps({"trailboss_plan": FORMAT, **asdict(saved), "plan": shown}, indent=2)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            "TB1234", f"the plan cannot be written: {error.strerror}", where=Location(file)
        ) from error


def load(file: Path) -> Saved:
    """The plan in `file`.

    Raises:
        ConfigError: TB1235 it is not a saved plan.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["trailboss_plan"] != FORMAT:
            raise ValueError
        return Saved(
            str(data["account"]),
            str(data["project"]),
            str(data["environment"]),
            str(data["fingerprint"]),
            bool(data["adopt"]),
            tuple(map(str, data["targets"])),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            "TB1235",
            "this is not a saved plan",
            hint="Make one with `trailboss plan --out FILE`.",
            where=Location(file),
        ) from error


def refuse_elsewhere(saved: Saved, account: str, owner: Owner) -> None:
    """Raises ConflictError TB6509 when the plan was made for another account or environment."""
    if (saved.account, saved.owner) != (account, owner):
        raise ConflictError(
            "TB6509",
            f"this plan was made for {saved.owner} in account {saved.account}, not for {owner} in {account}",
            hint="Choose that environment and target, or make a new plan.",
        )
