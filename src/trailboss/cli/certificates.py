"""Certificates: which are there, and waiting for one with what its validation needs shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.cli.editing import make_resource
from trailboss.cli.run import Run

if TYPE_CHECKING:
    from trailboss.cloud import Cloud


def certificate_id(run: Run, name: str) -> str:
    """The id of the client certificate `name`; one that only trailboss.toml has is uploaded first.

    Raises:
        PlanError: TB6116 neither the files nor the account have it.
    """
    from trailboss.errors import PlanError
    from trailboss.resources.mtls_certificate import KIND

    if name in (run.project.tables.get("resources") or {}).get("mtls_certificate", {}):
        return make_resource(run, "mtls_certificate", name, {}, doing=f"mtls enable {name}").id

    async def look(cloud: Cloud) -> list[str]:
        return [one.id async for one in KIND.list(cloud) if one.name == name]

    found = run.call(look)
    if not found:
        raise PlanError(
            "TB6116",
            f"neither trailboss.toml nor the account has a client certificate '{name}'",
            hint="Upload it: trailboss mtls-certificate upload --cert FILE --key FILE --name NAME.",
        )
    return found[0]


def wait_active(run: Run, spec: Any) -> None:
    """Until the certificate that `spec` wants is active; each state is told once.

    Raises:
        PlanError: TB6161 it got stuck, TB6162 it takes too long.
    """
    from trailboss.resources.certificate_pack import KIND, settled

    async def watch(cloud: Cloud) -> None:
        async for pack in KIND.list(cloud, spec):
            if pack.name == spec.name:
                async for state in settled(cloud, pack):
                    run.output.note(f"  certificate for {', '.join(state.hosts)}: {state.status}")
                    for record in state.records if state.status.startswith("pending") else ():
                        shown = " ".join(str(value) for value in record.values())
                        run.output.note(f"    to prove it: {shown}")

    run.call(watch)
