"""Data an environment begins with: SQL for its databases, pairs for its namespaces, files for its buckets.

Each seed is applied once. What was applied is kept with the data itself: a database has it in the table
`trailboss_seeds`, written in the transaction of the file; a namespace or a bucket in a tag of its own,
written last, as writing the same pairs or objects twice changes nothing. So it can be stopped anywhere and
run again, and a resource that was made anew is filled anew.
D1: https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query/
KV: https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/methods/bulk_update/
R2: https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/objects/
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import mimetypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from trailboss.errors import CloudError, ConfigError, ConflictError, NotFound, PermissionDenied
from trailboss.plan.holdings import Holdings
from trailboss.plan.provision import Wish, wishes_of
from trailboss.plan.titles import titles
from trailboss.plan.wanted import declared

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.config import Project
    from trailboss.develop.settings import SeedSettings

KINDS = {"d1": "d1_database", "kv": "kv_namespace", "r2": "r2_bucket"}
TABLE = "trailboss_seeds"
TAG = "trailboss-seed"
LONGEST_SQL = 95_000
"""Bytes of one file: a query has at most 100,000."""
PAIRS = 10_000
"""Pairs of one bulk write."""
AT_ONCE = 8
ATTEMPTS = 5
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seed:
    """What one binding begins with; `product` is "d1", "kv" or "r2", `root` what the names of `files` count
    from."""

    product: str
    binding: str
    root: Path
    files: tuple[Path, ...]
    wish: Wish

    @property
    def digest(self) -> str:
        """Sixteen hex digits of the names and bytes of all files."""
        found = hashlib.sha256()
        for file in self.files:
            name, data = file.relative_to(self.root).as_posix().encode(), file.read_bytes()
            found.update(b"%d:%s%d:%s" % (len(name), name, len(data), data))
        return found.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Planted:
    """What became of one seed. `count` are the files, pairs or objects written."""

    product: str
    binding: str
    resource: str
    state: Literal["applied", "unchanged"]
    count: int


def read_seeds(project: Project, settings: SeedSettings) -> tuple[Seed, ...]:
    """The seeds of `settings`, checked as far as that can be done without asking.

    Raises:
        ConfigError: TB1530 a file that is not there, cannot be read or is too long; TB1531 a binding no
            Worker has; TB1532 a file that is not what `wrangler kv bulk put` reads.
    """
    bound = {(wish.kind.name, wish.binding): wish for wish in _wishes(project)}
    found = []
    for product, kind in KINDS.items():
        for binding, said in getattr(settings, product).items():
            where = project.locate("seed", product, binding)
            if (kind, binding) not in bound:
                known = sorted(name for one, name in bound if one == kind)
                raise ConfigError(
                    "TB1531",
                    f'no Worker has a {product} binding "{binding}" to seed',
                    hint=f"There are: {', '.join(known) or 'none'}.",
                    where=where,
                )
            files, root = _files(project.root, said, folder=product == "r2")
            seed = Seed(product, binding, root, files, bound[kind, binding])
            _check(seed, where)
            found.append(seed)
    return tuple(found)


async def plant(
    cloud: Cloud, seeds: Sequence[Seed], tell: Tell = lambda _: None, progress: Tell = lambda _: None
) -> tuple[Planted, ...]:
    """Apply what was not applied yet. Safe to stop anywhere and to repeat.

    Raises:
        NotFound: TB2330 a resource that is not there yet. CloudError: what the API refused, with the file.
    """
    account = Holdings(cloud)
    await account.read((seed.wish.kind, seed.wish.spec) for seed in seeds if seed.wish.spec is not None)
    return tuple([await _plant(cloud, account, seed, tell, progress) for seed in seeds])


async def _plant(cloud: Cloud, account: Holdings, seed: Seed, tell: Tell, progress: Tell) -> Planted:
    handle = await _handle(account, seed)
    progress(f"Seeding {seed.binding}")
    count = await (_sql(cloud, handle, seed) if seed.product == "d1" else _once(cloud, handle, seed, tell))
    name = seed.wish.title or handle
    return Planted(seed.product, seed.binding, name, "applied" if count else "unchanged", count)


async def _handle(account: Holdings, seed: Seed) -> str:
    wish = seed.wish
    if wish.spec is None:
        return str(wish.entry.get(wish.form.given or "") or wish.asked)
    found = await account.find(wish.kind, wish.spec)
    if found is None:
        raise NotFound(
            "TB2330",
            f"the account has no {wish.kind.name} {wish.title} yet, so there is nothing to seed",
            hint="A deploy or an apply makes it.",
        )
    return wish.kind.handle(found)


async def _sql(cloud: Cloud, database: str, seed: Seed) -> int:
    """Each file with a note of it in one transaction; how many were applied."""
    from trailboss.cloud import segment

    path = f"{cloud.account}/d1/database/{segment(database)}/query"
    columns = "digest TEXT PRIMARY KEY, name TEXT, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
    await cloud.post(path, json={"sql": f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns})"}, idempotent=True)
    rows = await cloud.post(path, json={"sql": f"SELECT digest FROM {TABLE}"}, idempotent=True)  # noqa: S608
    known = {str(row["digest"]) for row in rows[0]["results"]}
    count = 0
    for file in seed.files:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        if digest in known:
            continue
        known.add(digest)
        name = file.relative_to(seed.root).as_posix().replace("'", "''")
        note = f"INSERT INTO {TABLE} (digest, name) VALUES ('{digest}', '{name}')"  # noqa: S608
        await _saying(file, cloud.post(path, json={"sql": f"{file.read_text('utf-8')}\n;{note}"}))
        count += 1
    return count


async def _once(cloud: Cloud, handle: str, seed: Seed, tell: Tell) -> int:
    """All of it, unless the resource's tag says that it has exactly this."""
    kind, digest = KINDS[seed.product], await asyncio.to_thread(lambda: seed.digest)
    tagged = True
    try:
        if await _tag(cloud, kind, handle) == digest:
            return 0
    except PermissionDenied as error:
        tagged = False
        tell(f"the seed of {seed.binding} is written each time: tags cannot be read ({error.message})")
    count = await (_pairs(cloud, handle, seed) if seed.product == "kv" else _objects(cloud, handle, seed))
    if tagged:
        await _note(cloud, kind, handle, digest)
    return count


async def _tag(cloud: Cloud, kind: str, handle: str) -> str:
    from trailboss.cloud.tags import read_tags

    return (await read_tags(cloud, kind, handle)).values.get(TAG, "")


async def _note(cloud: Cloud, kind: str, handle: str, digest: str) -> None:
    """The tag, beside whatever tags there are."""
    from trailboss.cloud.tags import read_tags, write_tags

    for left in reversed(range(ATTEMPTS)):
        tags = await read_tags(cloud, kind, handle)
        try:
            await write_tags(cloud, kind, handle, {**tags.values, TAG: digest}, etag=tags.etag)
            return
        except ConflictError:
            if not left:
                raise


async def _pairs(cloud: Cloud, namespace: str, seed: Seed) -> int:
    from trailboss.cloud import segment

    path = f"{cloud.account}/storage/kv/namespaces/{segment(namespace)}/bulk"
    count = 0
    for file in seed.files:
        pairs = _read_pairs(file)
        for start in range(0, len(pairs), PAIRS):
            await _saying(file, cloud.put(path, json=pairs[start : start + PAIRS]))
        count += len(pairs)
    return count


async def _objects(cloud: Cloud, bucket: str, seed: Seed) -> int:
    from trailboss.cloud import segment

    place = seed.wish.entry.get("jurisdiction")
    headers = {"cf-r2-jurisdiction": str(place)} if place else {}
    path, turn = f"{cloud.account}/r2/buckets/{segment(bucket)}/objects", asyncio.Semaphore(AT_ONCE)

    async def put(file: Path) -> None:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        key = quote(file.relative_to(seed.root).as_posix(), safe="/")
        async with turn:
            more = {**headers, "content-type": kind}
            await _saying(file, cloud.put(f"{path}/{key}", content=file, headers=more))

    await asyncio.gather(*map(put, seed.files))
    return len(seed.files)


async def _saying(file: Path, work: Any) -> None:
    try:
        await work
    except CloudError as error:
        error.message = f"{file}: {error.message}"
        error.args = (error.message,)
        raise


def _wishes(project: Project) -> Iterator[Wish]:
    names = declared(project)
    for worker in project.workers:
        yield from wishes_of(worker.raw, titles(worker, worker.name, names))


def _files(root: Path, said: str | list[str], *, folder: bool) -> tuple[tuple[Path, ...], Path]:
    if folder:
        base = root / str(said)
        return tuple(sorted(file for file in base.rglob("*") if file.is_file())), base
    return tuple(root / name for name in ([said] if isinstance(said, str) else said)), root


def _check(seed: Seed, where: Any) -> None:
    problem = None if seed.files or seed.root.is_dir() else f"there is no folder {seed.root}"
    for file in seed.files:
        if not file.is_file():
            problem = f"there is no file {file}"
        elif not file.is_relative_to(seed.root):
            problem = f"{file} is not below {seed.root}"
        elif seed.product == "d1" and file.stat().st_size > LONGEST_SQL:
            problem = f"{file} has more than {LONGEST_SQL:,} bytes, and one query takes no more: split it"
        elif seed.product == "kv":
            _read_pairs(file, where)
    if problem is not None:
        raise ConfigError("TB1530", problem, where=where)


def _read_pairs(file: Path, where: Any = None) -> list[dict[str, Any]]:
    try:
        pairs = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ConfigError("TB1532", f"{file} is no JSON: {error}", where=where) from error
    texts = isinstance(pairs, list) and all(
        isinstance(one, dict) and isinstance(one.get("key"), str) and isinstance(one.get("value"), str)
        for one in pairs
    )
    if not texts:
        raise ConfigError(
            "TB1532",
            f'{file} is not a list of {{"key": "…", "value": "…"}} objects',
            hint="It is the format of `wrangler kv bulk put`; a value is a text, with `base64` for bytes.",
            where=where,
        )
    found: list[dict[str, Any]] = pairs
    return found
