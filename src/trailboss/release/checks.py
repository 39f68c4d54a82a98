"""What is refused before anything is built or asked, and what is only warned about."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trailboss.errors import ConfigError, RefusedError, ReleaseError, UsageError
from trailboss.release.outcomes import DeployOptions
from trailboss.release.stamp import TAG_BYTES
from trailboss.release.triggers.addresses import read_addresses
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.build import Artifact
    from trailboss.build.subject import Subject
    from trailboss.release.account import Seen

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ALIAS = re.compile(r"[a-z][a-z0-9-]*")
LONGEST_LABEL = 63
MOST_GZIPPED = 10 * 1024 * 1024


def check_settings(subject: Subject, options: DeployOptions) -> None:
    """Refuse what cannot be deployed, by name and by value.

    Raises ConfigError TB1801-TB1806 with the config file's place, UsageError TB9410-TB9412 for the options.
    """
    where = Location(subject.config)
    _check_name(subject.name, where)
    if not subject.options.latest:
        _check_date(subject.settings, where)
    _check_addresses(subject.settings, where)
    _check_crons(subject.settings, where)
    _check_migrations(subject.settings, where)
    _check_options(subject, options)


def _check_name(name: str, where: Location) -> None:
    if not name:
        raise ConfigError("TB1801", "The Worker has no name.", where=where, hint="Add `name`, or use --name.")
    if not _NAME.fullmatch(name) or len(name) > LONGEST_LABEL:
        raise ConfigError(
            "TB1801",
            f'"{name}" cannot be the name of a Worker.',
            where=where,
            hint=f"Use lower-case letters, digits, - and _, at most {LONGEST_LABEL} of them.",
        )


def _check_date(settings: Mapping[str, Any], where: Location) -> None:
    date = settings.get("compatibility_date")
    today = datetime.datetime.now(datetime.UTC).date()
    if not date:
        raise ConfigError(
            "TB1802",
            "There is no compatibility_date, so the runtime would behave as in 2021.",
            where=where,
            hint=f'Add "compatibility_date": "{today.isoformat()}".',
        )
    try:
        parsed = datetime.date.fromisoformat(str(date)) if _DATE.fullmatch(str(date)) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise ConfigError("TB1802", f'"{date}" is not a date.', where=where, hint="Write it as 2026-01-31.")
    if parsed > today:
        raise ConfigError(
            "TB1802",
            f"The compatibility_date {date} is in the future (in UTC it is {today.isoformat()}).",
            where=where,
            hint="Use today's date, or an earlier one.",
        )


def _check_addresses(settings: Mapping[str, Any], where: Location) -> None:
    for address in read_addresses(settings) or ():
        if address.custom_domain and ("*" in address.pattern or "/" in address.pattern):
            raise ConfigError(
                "TB1803",
                f'"{address.pattern}" is a custom domain, which is a host name without * and /.',
                where=where,
                hint="Take out `custom_domain` to make it a route, or name the host alone.",
            )


def _check_crons(settings: Mapping[str, Any], where: Location) -> None:
    for cron in (settings.get("triggers") or {}).get("crons") or ():
        if len(str(cron).split()) != 5:
            raise ConfigError(
                "TB1804",
                f'"{cron}" is not a schedule: it needs five fields.',
                where=where,
                hint='Minute, hour, day, month, weekday: "*/5 * * * *" is every five minutes.',
            )


def _check_migrations(settings: Mapping[str, Any], where: Location) -> None:
    tags = [item.get("tag") for item in settings.get("migrations") or ()]
    twice = next((tag for tag in tags if tags.count(tag) > 1), None)
    if twice is not None:
        raise ConfigError(
            "TB1805",
            f'Two migrations have the tag "{twice}".',
            where=where,
            hint="Each needs a tag of its own.",
        )


def _check_options(subject: Subject, options: DeployOptions) -> None:
    if options.tag and len(options.tag.encode()) > TAG_BYTES:
        raise UsageError(
            "TB9410", f"The tag is longer than {TAG_BYTES} bytes.", hint="Use the message instead."
        )
    if options.alias and (
        not _ALIAS.fullmatch(options.alias) or len(options.alias) + len(subject.name) + 1 > LONGEST_LABEL
    ):
        raise UsageError(
            "TB9411",
            f'"{options.alias}" cannot be an alias of "{subject.name}".',
            hint=f"Lower-case letters, digits, -; a letter first; with the name at most {LONGEST_LABEL}.",
        )
    both = sorted(set(options.secrets) & set(subject.settings.get("vars") or {}))
    if both:
        raise ConfigError(
            "TB1806",
            f"{', '.join(both)}: both a variable and a secret.",
            where=Location(subject.config),
            hint="Cloudflare allows one of the two under a name; take it out of `vars`.",
        )


def measure(artifact: Artifact) -> tuple[int, int]:
    """(bytes, bytes gzipped) of the code, as Cloudflare counts it. Raises ReleaseError TB4082 when too
    large."""
    import zlib

    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    modules = [module for module in artifact.modules if module.role != "source-map"]
    gzipped = sum(len(packer.compress(module.data)) for module in modules) + len(packer.flush())
    if gzipped > MOST_GZIPPED:
        largest = max(modules, key=lambda module: len(module.data))
        raise ReleaseError(
            "TB4082",
            f"The code is {_mib(gzipped)} gzipped; Cloudflare takes at most {_mib(MOST_GZIPPED)}.",
            hint=f"The largest module is {largest.name} with {_mib(len(largest.data))} before compression.",
        )
    return artifact.size, gzipped


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"


def check_split(name: str, seen: Seen, options: DeployOptions) -> None:
    """Traffic that is split now belongs to a rollout: ending it takes a yes. Raises RefusedError TB4081."""
    current = seen.current
    if current is None or len([share for share in current.shares if share.percentage > 0]) < 2:
        return
    shown = " and ".join(f"{share.percentage} % {share.version_id[:8]}" for share in current.shares)
    question = (
        f'The traffic of "{name}" is split now ({shown}). Deploying gives all of it to the new version.'
    )
    if options.force or options.dry_run or (options.confirm and options.confirm(f"{question} Continue?")):
        return
    raise RefusedError(
        "TB4081", question, hint="Use --yes to do that, or finish or roll back the split first."
    )


def warn_of_dashboard(seen: Seen) -> tuple[str, ...]:
    """The newest version was made in the dashboard: a deploy replaces it."""
    if seen.versions and seen.versions[0].source == "dash":
        made = seen.versions[0]
        return (
            f"{made.label} was made in the dashboard ({made.created[:10]}) and is replaced by what is here",
        )
    return ()
