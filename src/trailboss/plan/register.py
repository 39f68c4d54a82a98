"""What Trailboss keeps about a project in the account itself: its lock and its claims.

All of it stands in the tags of the account, each owner under keys of its own:

    trailboss.lock/<project>/<env>        who is applying, until when
    trailboss.claims/<project>/<env>/<n>  JSON [[kind, identity, digest, adopted, id], …], 1,000 characters
    trailboss.expires/<project>/<env>     JSON [ISO 8601, Workers…]: when the environment may be taken away

A claim owns what has neither tags nor a text of its own; with an empty digest it is an intent, written before
a create, so that whoever comes after a crash knows the half-made thing as ours. With the digest "~" it owns
nothing, and says where a list has to be read to find marked things (the zone of a DNS record). Every write is
a compare-and-set by ETag: a concurrent write of another owner is read and kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.cloud.tags import Tags, read_tags, write_tags
from trailboss.errors import ConflictError
from trailboss.plan.owner import Owner
from trailboss.resources.marks import identity_of
from trailboss.resources.protocol import Claimed, Kind

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

LOCK, CLAIMS, EXPIRES = "trailboss.lock/", "trailboss.claims/", "trailboss.expires/"
LOOK = "~"
LONGEST = 1000  # characters of a tag's value; Cloudflare takes 1,024
ATTEMPTS = 8
Place = tuple[str, tuple[Any, ...]]
Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose the thing of a kind and identity is. `spec` is as in a stamp, or "~" for a place to look. Where
    Cloudflare gives ids and lets several things have one name, `id` says which of them: see `mark_of_id`."""

    kind: str
    identity: tuple[Any, ...]
    spec: str = ""
    adopted: bool = False
    id: str = ""

    @property
    def place(self) -> Place:
        """What it claims; a place to look is no claim to the thing that names it."""
        return (f"{LOOK}{self.kind}" if self.spec == LOOK else self.kind), self.identity


@dataclass(frozen=True, slots=True)
class Expiry:
    """`until` in ISO 8601, "" for never; the names of the environment's Workers, which carry no tags. It
    `rolls` where the file gives a span that every apply begins anew: then a later end is no change."""

    until: str
    scripts: tuple[str, ...] = ()
    rolls: bool = field(default=False, compare=False)


class Register:
    """The account's tags as they were last read or written."""

    def __init__(self, cloud: Cloud, tags: Tags) -> None:
        self._cloud = cloud
        self._tags = tags

    @classmethod
    async def read(cls, cloud: Cloud) -> Register:
        """One call.

        Raises:
            CloudError: PermissionDenied where the account or the token has no tagging.
        """
        return cls(cloud, await read_tags(cloud, "account", await cloud.account_id()))

    async def change(self, edit: Callable[[Values], Values | None]) -> None:
        """Write what `edit` makes of the present tags, again for as long as others write in between.

        `edit` may raise, and returns None when there is nothing to write.

        Raises:
            ConflictError: TB6502 others kept writing.
        """
        account = await self._cloud.account_id()
        for _ in range(ATTEMPTS):
            before = dict(self._tags.values)
            after = edit(dict(before))
            if after is None or after == before:
                return
            try:
                self._tags = await write_tags(self._cloud, "account", account, after, etag=self._tags.etag)
                return
            except ConflictError:
                await self.refresh()
        raise ConflictError(
            "TB6502", "the account's tags are being changed by others all the time", hint="Try again."
        )

    async def refresh(self) -> None:
        """Read again. One call."""
        self._tags = await read_tags(self._cloud, "account", await self._cloud.account_id())

    def value(self, key: str) -> str:
        """One tag, "" when it is not there."""
        return self._tags.values.get(key, "")

    def claims(self) -> dict[Place, tuple[Owner, Claim]]:
        """Every claim of every owner, by what it claims."""
        found: dict[Place, tuple[Owner, Claim]] = {}
        for key, value in self._tags.values.items():
            if key.startswith(CLAIMS):
                project, environment = key.removeprefix(CLAIMS).split("/")[:2]
                for claim in _parse(value):
                    found[claim.place] = (Owner(project, environment), claim)
        return found

    def claims_of(self, owner: Owner) -> dict[Place, Claim]:
        """The claims of one owner."""
        return claims_in(self._tags.values, owner)

    def is_late(self, owner: Owner, expiry: Expiry | None) -> bool:
        """Whether the account says something else of the end of `owner`; None wants nothing said."""
        return with_expiry(dict(self._tags.values), owner, expiry) != self._tags.values

    def expiries(self) -> dict[Owner, Expiry]:
        """Every environment of the account that has an end."""
        found: dict[Owner, Expiry] = {}
        for key, value in self._tags.values.items():
            if key.startswith(EXPIRES):
                until, *scripts = json.loads(value)
                found[Owner(*key.removeprefix(EXPIRES).split("/", maxsplit=1))] = Expiry(
                    str(until), tuple(map(str, scripts))
                )
        return found


async def owners_of(cloud: Cloud, project: str) -> set[str]:
    """The environments of `project` that have anything in the account: notes, claims, a lock, tagged
    resources.

    Raises:
        CloudError: PermissionDenied where the account or the token has no tagging.
    """
    from trailboss.cloud.tags import find_tagged
    from trailboss.plan.owner import ENVIRONMENT, PROJECT

    register = await Register.read(cloud)
    found = {
        key.removeprefix(prefix).split("/")[1]
        for key in register._tags.values
        for prefix in (LOCK, CLAIMS, EXPIRES)
        if key.startswith(f"{prefix}{project}/")
    }
    async for row in find_tagged(cloud, [f"{PROJECT}={project}"]):
        if "trailboss.adopted" not in row.tags:
            found.add(row.tags.get(ENVIRONMENT, ""))
    return found


def mark_of_id(found: Kind[Any, Any], observed: Any) -> str:
    """Eight hex digits that stand for the id of `observed`, "" where its identity says all."""
    if not isinstance(found.ownership, Claimed):
        return ""
    handle = found.handle(observed)
    if handle in map(str, identity_of(observed)):
        return ""
    return hashlib.blake2b(handle.encode(), digest_size=4).hexdigest()


def key_of(prefix: str, owner: Owner) -> str:
    """The tag that belongs to `owner`."""
    return f"{prefix}{owner.project}/{owner.environment}"


def claims_in(values: Mapping[str, str], owner: Owner) -> dict[Place, Claim]:
    """The claims of `owner` in these tags."""
    prefix = f"{key_of(CLAIMS, owner)}/"
    texts = (value for key, value in values.items() if key.startswith(prefix))
    return {claim.place: claim for text in texts for claim in _parse(text)}


def with_claims(values: Values, owner: Owner, claims: Iterable[Claim]) -> Values:
    """These tags with exactly `claims` for `owner`."""
    prefix = f"{key_of(CLAIMS, owner)}/"
    kept = {key: value for key, value in values.items() if not key.startswith(prefix)}
    for number, text in enumerate(_pages(claims)):
        kept[f"{prefix}{number}"] = text
    return kept


def with_expiry(values: Values, owner: Owner, expiry: Expiry | None) -> Values:
    """These tags with that end for `owner`; None leaves them as they are."""
    if expiry is None:
        return values
    key = key_of(EXPIRES, owner)
    if not expiry.until:
        return {name: value for name, value in values.items() if name != key}
    text = json.dumps([expiry.until, *expiry.scripts], separators=(",", ":"))
    return {**values, key: text}


def _pages(claims: Iterable[Claim]) -> list[str]:
    pages: list[list[str]] = [[]]
    for claim in sorted(claims, key=lambda one: (one.kind, str(one.identity))):
        row: list[Any] = [claim.kind, list(claim.identity), claim.spec]
        row += [int(claim.adopted), claim.id] if claim.id else [1] if claim.adopted else []
        text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
        if sum(map(len, pages[-1])) + len(pages[-1]) + len(text) + 2 > LONGEST:
            pages.append([])
        pages[-1].append(text)
    return [f"[{','.join(page)}]" for page in pages if page]


def _parse(text: str) -> list[Claim]:
    rows = json.loads(text)
    return [
        Claim(str(row[0]), tuple(row[1]), str(row[2]), bool(row[3:] and row[3]), "".join(row[4:5]))
        for row in rows
    ]
