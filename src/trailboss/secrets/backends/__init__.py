"""Where references are answered: one file for each way into 1Password, one small protocol for all.

op_cli            the `op` program: the desktop app with its fingerprint, a session, or a service account
service_account   the official onepassword SDK with OP_SERVICE_ACCOUNT_TOKEN
connect           a Connect server over HTTP
already_resolved  `op run` has done the work: values are variables of this process
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from trailboss.secrets.reference import Reference
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.secrets.obvious import FieldName

PartName = Literal["vault", "item", "section", "field", "attribute"]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Which part of a reference has no single answer. `known` are the names there are, as a help."""

    part: PartName
    reason: Literal["unknown", "ambiguous", "unsupported", "unnamed"]
    detail: str = ""
    known: tuple[str, ...] = ()


Answer = Secret | Unresolved
Answers = Mapping[Reference, Answer]


class Backend(Protocol):
    """Answers many references at once.

    Every reference is in the answer. Raises SecretError TB7040-TB7049 when nothing can be answered: the
    program or package is missing, locked, the token has expired, the server is out of reach."""

    @property
    def name(self) -> str:
        """How it is called in `[secrets] backend`."""

    async def resolve(self, references: Sequence[Reference]) -> Answers:
        """Each of `references` with its value, or with what is wrong about it."""

    async def fields(self, reference: Reference) -> tuple[FieldName, ...] | Unresolved:
        """The fields of the item that `reference` names, without their values. Raises as `resolve`."""
