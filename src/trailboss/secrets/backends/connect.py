"""A 1Password Connect server: OP_CONNECT_HOST and OP_CONNECT_TOKEN.

The vaults are listed once, an item is read once for all of its fields, different items at the same time.
Source: https://developer.1password.com/docs/connect/api-reference (1.7)"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, Unresolved
from trailboss.secrets.backends.connect_http import Http
from trailboss.secrets.backends.connect_item import File, Item, field_names, item, matching, pick, value
from trailboss.secrets.obvious import FieldName
from trailboss.secrets.reference import Reference
from trailboss.values import Secret

_ID = re.compile(r"[a-z0-9]{26}")
_GONE = ("ARCHIVED", "DELETED")
_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Connect:
    """`host` is the server's base URL, `token` a Connect access token."""

    host: str
    token: Secret
    timeout: float = 30.0
    name: str = "connect"

    async def resolve(self, references: Sequence[Reference]) -> dict[Reference, Answer]:
        """Each item is read once. Raises SecretError TB7044-TB7049."""
        wanted = list(dict.fromkeys(references))
        async with self._reading() as reading:
            answers = await asyncio.gather(*map(reading.answer, wanted), return_exceptions=True)
        return {key: _kept(answer) for key, answer in zip(wanted, answers, strict=True)}

    async def fields(self, reference: Reference) -> tuple[FieldName, ...] | Unresolved:
        """The item's fields. Raises SecretError TB7044-TB7049."""
        async with self._reading() as reading:
            (found,) = await asyncio.gather(reading.item(reference), return_exceptions=True)
        if isinstance(found, BaseException):
            raise found
        return found if isinstance(found, Unresolved) else field_names(found)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[_Reading]:
        import httpx

        base = _base(self.host)
        async with httpx.AsyncClient(
            base_url=f"{base}/v1",
            headers={"Authorization": f"Bearer {self.token.reveal()}"},
            timeout=self.timeout,
            transport=httpx.AsyncHTTPTransport(retries=2),
            follow_redirects=False,
        ) as client:
            yield _Reading(Http(client, base, self.timeout))


class _Reading:
    """One resolve: the vault list and every item at most once, however many references ask."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._once: dict[tuple[str, ...], asyncio.Task[Any]] = {}

    async def item(self, reference: Reference) -> Item | Unresolved:
        """The item that a reference names."""
        vault = await self._shared(("",), self._vault, reference.vault)
        if isinstance(vault, Unresolved):
            return vault
        found: Item | Unresolved = await self._shared((), self._item, str(vault), reference.item)
        return found

    async def answer(self, reference: Reference) -> Answer:
        """The value that a reference names."""
        found = await self.item(reference)
        if isinstance(found, Unresolved):
            return found
        picked = pick(found, reference)
        if isinstance(picked, Unresolved):
            return picked
        return await self._file(found, picked) if isinstance(picked, File) else value(picked, reference)

    async def _shared(self, kind: tuple[str, ...], read: Any, *names: str) -> Any:
        """The result of `read(*names)`, started by whoever asks first."""
        key = (*kind, *(name.casefold() for name in names))
        if key not in self._once:
            self._once[key] = asyncio.create_task(read(*names))
        return await self._once[key]

    async def _vault(self, name: str) -> str | Unresolved:
        """The vault's id."""
        vaults = await self._shared(("", "all"), self._vaults)
        return _one("vault", matching(name, vaults, "name"), vaults, "name")

    async def _vaults(self) -> list[Mapping[str, Any]]:
        return _list(await self._http.found("/vaults", "the list of vaults"))

    async def _item(self, vault: str, name: str) -> Item | Unresolved:
        """The item by id or title."""
        path = f"/vaults/{quote(vault, safe='')}/items"
        if _ID.fullmatch(name):
            found = await self._http.found(f"{path}/{name}", f"the item {name}")
            if isinstance(found, dict):
                return item(found, vault)
        chosen = await self._titled(path, name)
        if isinstance(chosen, Unresolved):
            return chosen
        found = await self._http.found(f"{path}/{quote(chosen, safe='')}", f"the item {name}")
        return item(found, vault) if isinstance(found, dict) else Unresolved("item", "unknown")

    async def _titled(self, path: str, name: str) -> str | Unresolved:
        """The item's id. The server's own filter comes first, because vaults can be large; then the whole
        list, because the server compares letters as they are and references do not."""
        what = f"the items of {path}"
        filtered = _alive(await self._http.found(path, what, filter=f'title eq "{name}"'))
        hits = matching(name, filtered, "title")
        if hits:
            return _one("item", hits, hits, "title")
        everything = _alive(await self._http.found(path, what))
        return _one("item", matching(name, everything, "title"), everything, "title")

    async def _file(self, found: Item, file: File) -> Answer:
        if file.size > _LARGEST_FILE:
            return Unresolved("field", "unsupported", "the file is larger than 1 MB")
        path = f"/vaults/{quote(found.vault, safe='')}/items/{quote(found.id, safe='')}/files"
        content = await self._http.text(f"{path}/{quote(file.id, safe='')}/content", f"the file {file.label}")
        return content or Unresolved("field", "unsupported", "the file is not text")


def _kept(answer: Answer | BaseException) -> Answer:
    """Raises what went wrong, without what httpx was doing at that moment."""
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _one(
    part: Any, hits: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], label: str
) -> str | Unresolved:
    if len(hits) == 1:
        return str(hits[0].get("id", ""))
    if hits:
        return Unresolved(part, "ambiguous", "use its id: " + ", ".join(str(h.get("id")) for h in hits))
    return Unresolved(part, "unknown", known=tuple(str(entry.get(label, "")) for entry in known))


def _list(found: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _alive(found: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in _list(found) if entry.get("state") not in _GONE]


def _base(host: str) -> str:
    """The server's address without a path. Raises SecretError TB7047 when it is none."""
    url = urlsplit(host if "://" in host else f"http://{host}")
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SecretError(
            "TB7047",
            f"OP_CONNECT_HOST is no address: {host!r}.",
            hint="Write http://host:8080 or https://host.",
        )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/v1')}"
