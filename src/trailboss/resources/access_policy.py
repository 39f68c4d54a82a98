"""Reusable Access policies of an account. Source: edge reference 2.2.

A service token passes only by a policy with the decision `non_identity`; `allow` is for people.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from trailboss.errors import NotFound
from trailboss.resources.access_parts import (
    PARTS,
    Rules,
    adjusted,
    duration_problems,
    rewritten,
    rule_problems,
    rules_from,
    rules_to,
)
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    SERVER_SET,
    UNSET,
    Difference,
    Unset,
    set_fields,
    subset_differs,
)
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

DECISIONS = ("allow", "deny", "non_identity", "bypass")


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What a file may want: `decision` for one of `include`, all of `require`, none of `exclude`."""

    name: str = field(metadata=IDENTITY | NAMED)
    decision: str = field(metadata=MUTABLE)
    include: Rules = field(default=(), metadata=MUTABLE)
    exclude: Rules = field(default=(), metadata=MUTABLE)
    require: Rules = field(default=(), metadata=MUTABLE)
    session_duration: str | Unset = field(default=UNSET, metadata=MUTABLE)
    approval_required: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    approval_groups: Rules | Unset = field(default=UNSET, metadata=MUTABLE)
    purpose_justification_required: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    purpose_justification_prompt: str | Unset = field(default=UNSET, metadata=MUTABLE)
    isolation_required: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    mfa_config: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    connection_rules: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedAccessPolicy:
    """A reusable policy; `id` is a UUID."""

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    decision: str = field(default="", metadata=MUTABLE)
    include: Rules = field(default=(), metadata=MUTABLE)
    exclude: Rules = field(default=(), metadata=MUTABLE)
    require: Rules = field(default=(), metadata=MUTABLE)
    session_duration: str = field(default="", metadata=MUTABLE)
    approval_required: bool = field(default=False, metadata=MUTABLE)
    approval_groups: Rules = field(default=(), metadata=MUTABLE)
    purpose_justification_required: bool = field(default=False, metadata=MUTABLE)
    purpose_justification_prompt: str = field(default="", metadata=MUTABLE)
    isolation_required: bool = field(default=False, metadata=MUTABLE)
    mfa_config: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    connection_rules: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)


SETTINGS = tuple(
    place.name for place in fields(AccessPolicy) if place.name not in ("name", "decision", *PARTS)
)


class AccessPolicyKind(Basis):
    """The kind `access_policy`."""

    name = "access_policy"
    spec = AccessPolicy
    permissions = Permissions("Access: Apps and Policies Read", "Access: Apps and Policies Write")

    def problems(self, spec: AccessPolicy) -> Iterable[str]:
        if spec.decision not in DECISIONS:
            yield f"decision is '{spec.decision}'; it may be {', '.join(DECISIONS)}"
        yield from rule_problems(spec)
        token = any("service_token" in rule or "any_valid_service_token" in rule for rule in spec.include)
        if token and spec.decision == "allow":
            yield "a service token passes only where decision is 'non_identity'; 'allow' asks for a login"
        yield from duration_problems("session_duration", spec.session_duration)

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rules in their short spelling."""
        return adjusted(table)

    def differs(self, spec: AccessPolicy, observed: ObservedAccessPolicy) -> tuple[Difference, ...]:
        return subset_differs(spec, observed)

    def to_wire(self, spec: AccessPolicy) -> dict[str, Any]:
        settings = set_fields(**{name: getattr(spec, name) for name in SETTINGS})
        return {"name": spec.name, "decision": spec.decision, **rules_to(spec), **settings}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAccessPolicy:
        settings: dict[str, Any] = {name: data[name] for name in SETTINGS if data.get(name) is not None}
        settings |= {"approval_groups": tuple(data.get("approval_groups") or ()), **rules_from(data)}
        return ObservedAccessPolicy(str(data["name"]), str(data["id"]), str(data["decision"]), **settings)

    async def list(
        self, cloud: Cloud, like: AccessPolicy | None = None
    ) -> AsyncIterator[ObservedAccessPolicy]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AccessPolicy) -> ObservedAccessPolicy:
        return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))

    async def update(
        self, cloud: Cloud, spec: AccessPolicy, observed: ObservedAccessPolicy
    ) -> ObservedAccessPolicy:
        if not self.differs(spec, observed):
            return observed
        path = f"{_path(cloud)}/{observed.id}"
        return self.from_wire(await rewritten(cloud, path, self.to_wire(spec)))

    async def delete(self, cloud: Cloud, observed: ObservedAccessPolicy) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/access/policies"


KIND = AccessPolicyKind()
