"""What a command makes for good is written into the project's files: it is ours, and a later plan wants it.

Transient things (the rule of a running `dev`) never are. A tunnel that the files do not have stays out of
them, with everything that leads to it: it may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.errors import RefusedError, TrailbossError
from trailboss.resources.marks import identity_of, refs_in

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.config.resources import Edits
    from trailboss.plan.wanted import Resource, Wanted

TUNNEL, RULES, RECORD = "cloudflared_tunnel", "tunnel_configuration", "dns_record"


class Files:
    """The files of a project. `load` reads them as they are now, `doing` names the command to others who wait
    for it, `wrote` is told each file that changed.
    """

    def __init__(
        self, load: Callable[[], Project], doing: str, wrote: Callable[[Path], None] = lambda _: None
    ) -> None:
        self._load = load
        self._doing = doing
        self._wrote = wrote
        self._read: tuple[Project, Wanted] | None = None

    @property
    def takes(self) -> bool:
        """Whether something new is written: not where every environment would get one of it, all for the same
        host names.
        """
        return bool(self._project.environment.name) or not self._project.environments

    def tunnel(self, name: str) -> Resource | None:
        """The tunnel of that name in the files; a name at the top level means, in an environment, that
        environment's own."""
        found = [one for one in self._wanted() if one.kind == TUNNEL]
        exact = (one for one in found if one.spec.name == name)
        return next(exact, None) or next((one for one in found if one.key == name), None)

    def elsewhere(self, name: str) -> str | None:
        """The environment that has the tunnel of that name, where the one at hand has not."""
        if self.tunnel(name) is not None:
            return None
        for environment, tables in (self._project.tables.get("environments") or {}).items():
            found = (tables.get("resources") or {}).get(TUNNEL) or {}
            if any(name == table.get("name", key) for key, table in found.items()):
                return str(environment)
        return None

    def record(self, zone: str, name: str) -> Resource | None:
        """The address of that host name in the files."""
        place = {(zone, name, kind) for kind in ("A", "AAAA", "CNAME")}
        return next(
            (one for one in self._wanted() if one.kind == RECORD and identity_of(one.spec) in place), None
        )

    def rules(self, tunnel: Resource) -> Resource | None:
        """The ingress rules of that tunnel in the files."""
        return next((one for one in self.of(tunnel) if one.kind == RULES), None)

    def of(self, tunnel: Resource) -> list[Resource]:
        """What in the files refers to that tunnel."""
        names = {tunnel.key, tunnel.spec.name}
        return [
            one
            for one in self._wanted()
            if any(ref.kind == TUNNEL and ref.name in names for ref in refs_in(one.spec))
        ]

    def zone(self, domain: str) -> str:
        """A zone as the files call it."""
        from trailboss.plan.wanted import zone_name

        zones = self._project.settings.zones
        return next((name for name, value in zones.items() if zone_name(value) == domain), domain)

    def declare(self, kind: str, key: str, table: Mapping[str, Any]) -> dict[Path, bytes | None]:
        """Write `[resources.<kind>.<key>]`; the files as they were, for `put_back`.

        Raises: ConfigError, PlanError: then they are as they were.
        """
        from trailboss.config.resources import declare

        return self._write(declare(self._project, kind, key, table))

    async def make(self, cloud: Cloud, kind: str, key: str, table: Mapping[str, Any]) -> Any:
        """Write it and make it, ours; what the account has then. Refused, the files are as they were.

        Raises: as `declare` and `plan.apply`.
        """
        from trailboss.config.resources import put_back

        before = self.declare(kind, key, table)
        try:
            found = await self.settle(cloud, kind, key)
        except TrailbossError:
            put_back(before)
            self._read = None
            raise
        self.tell(before)
        return found

    async def settle(self, cloud: Cloud, kind: str, key: str) -> Any:
        """Make that one as the files have it; what the account has then. Raises: as `plan.apply`."""
        from trailboss.plan.apply import Options, apply

        address = next(one.address for one in self._wanted() if (one.kind, one.key) == (kind, key))
        done = await apply(cloud, self._want, Options(targets=(address,), doing=self._doing))
        seen = next((one.seen for one in done.plan.changes if one.address == address), None)
        return done.observed.get(address) or (seen.observed if seen else None)

    def tell(self, before: Iterable[Path]) -> None:
        """Say which files changed, once it is sure that they stay so."""
        for file in before:
            self._wrote(file)

    def drop(self, resources: Iterable[Resource]) -> None:
        """Take their tables out of the files.

        Raises:
            RefusedError: TB9487 one of them is there for every environment.
        """
        from trailboss.config.edit import Delete

        project, environment = self._project, self._project.environment.name
        document, prefix = project.document, ("environments", environment) if environment else ()
        if document is None or project.file is None:
            return
        changes = []
        for one in resources:
            place = (*prefix, "resources", one.kind, one.key)
            if prefix and document.has("resources", one.kind, one.key):
                raise RefusedError(
                    "TB9487",
                    f"trailboss.toml has {one.address} at the top level, for every environment",
                    hint="Take it out there, then `trailboss apply` in each environment.",
                    where=one.where,
                )
            if document.has(*place):
                changes.append(Delete(place))
        self.tell(self._write({project.file: list(changes)} if changes else {}))

    def _write(self, edits: Edits) -> dict[Path, bytes | None]:
        from trailboss.config.resources import contents, write

        before = contents(edits)
        try:
            write(edits, self._again)
        finally:
            self._read = None
        return before

    def _again(self) -> Wanted:
        """Read anew; that is what finds out whether the files still make sense."""
        self._read = None
        return self._want

    @property
    def _project(self) -> Project:
        return self._reading()[0]

    @property
    def _want(self) -> Wanted:
        return self._reading()[1]

    def _wanted(self) -> tuple[Resource, ...]:
        return self._want.resources

    def _reading(self) -> tuple[Project, Wanted]:
        from trailboss.plan.wanted import wanted

        if self._read is None:
            project = self._load()
            self._read = project, wanted(project)
        return self._read
