"""One request, as a handler sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.multipart import Part, parse_form
from trailboss.sandbox.refusals import bad_json, bad_request

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.callers import Caller
    from trailboss.sandbox.routes import Route
    from trailboss.sandbox.store import Record

Receive = Callable[[], Any]


class Disconnected(Exception):
    """The client went away while its body was being read."""


class Call:
    """Path values by name (`call["namespace_id"]`), query, headers, body; and the sandbox's parts
    (`call.store`)."""

    def __init__(self, box: Box, scope: dict[str, Any], receive: Receive) -> None:
        self.box = box
        self.store = box.store
        self.runtime = box.runtime
        self.clock = box.clock
        self.ids = box.ids
        self.account = box.identity.account_id
        self.method: str = scope["method"]
        self.raw_path: str = scope["raw_path"].decode("latin-1").partition("?")[0]
        self.query_string: str = scope["query_string"].decode("latin-1")
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.route: Route | None = None
        self.caller: Caller | None = None
        self.path: dict[str, str] = {}
        self.scope = scope
        self._receive = receive
        self._query: list[tuple[str, str]] | None = None
        self._body: bytes | None = None

    def __getitem__(self, name: str) -> str:
        return self.path[name]

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        """All query parameters, repeated ones too, in order."""
        if self._query is None:
            self._query = parse_qsl(self.query_string, keep_blank_values=True)
        return self._query

    def query(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return dict(self.query_pairs).get(name, default)

    def queries(self, name: str) -> list[str]:
        """Every value of a repeated query parameter."""
        return [value for key, value in self.query_pairs if key == name]

    def flag(self, name: str) -> bool:
        """Whether a query parameter says true."""
        return self.query(name).lower() in {"true", "1"}

    def number(self, name: str, default: int, low: int = 0, high: int = 1 << 31) -> int:
        """A whole query parameter, kept between `low` and `high`; 400 when it is no number."""
        text = self.query(name)
        if not text:
            return default
        try:
            return min(max(int(text), low), high)
        except ValueError:
            raise bad_request(f"query parameter {name!r} must be a number") from None

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in the pieces it arrives in. Read it once, or use `body()`."""
        if self._body is not None:
            yield self._body
            return
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            if message.get("body"):
                yield message["body"]
            more = message.get("more_body", False)
        self._body = b""

    async def body(self) -> bytes:
        """The whole body."""
        if self._body is None:
            self._body = b"".join([piece async for piece in self.stream()])
        return self._body

    async def json(self, default: Any = None) -> Any:
        """The body as JSON whatever its content type says; `default` when it is empty."""
        body = await self.body()
        if not body.strip():
            return default
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise bad_json(str(error)) from None

    async def object(self) -> dict[str, Any]:
        """The body as a JSON object ({} when empty); 400 when it is something else."""
        value = await self.json({})
        if not isinstance(value, dict):
            raise bad_json("an object was expected")
        return value

    async def array(self) -> list[Any]:
        """The body as a JSON array; 400 when it is something else."""
        value = await self.json([])
        if not isinstance(value, list):
            raise bad_json("an array was expected")
        return value

    async def form(self) -> list[Part]:
        """The parts of a multipart body."""
        return parse_form(self.headers.get("content-type", ""), await self.body())

    def is_form(self) -> bool:
        """Whether the body is a multipart form (the one thing a content type decides)."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")

    async def begin_storage(self, kind: str) -> None:
        """Start the runtime with the first record of `kind`; of the others it need not be told."""
        if self.store.count(kind) == 1:
            await self.runtime.sync()

    def single(self, items: Sequence[Any]) -> Reply:
        """A list the real API answers whole: a later page is empty, so that every pager ends."""
        return Reply([] if self.number("page", 1) > 1 else list(items))

    def paged(self, items: Sequence[Any], per_page: int = 20, most: int = 1000) -> Reply:
        """One page of `items` by `page` and `per_page`, with the four numbers clients count on."""
        size, start = self._place(per_page, most)
        return _page(list(items[start : start + size]), start // size + 1, size, len(items))

    def paged_records(
        self,
        kind: str,
        parent: str | None = None,
        *,
        shown: Callable[[Record], Any] = dict,
        per_page: int = 20,
        most: int = 1000,
        newest_first: bool = False,
    ) -> Reply:
        """The same of all records of a kind, of which only the page's are read; `shown` shapes one."""
        size, start = self._place(per_page, most)
        found = self.store.page(kind, parent, offset=start, limit=size, newest_first=newest_first)
        return _page([shown(one) for one in found], start // size + 1, size, self.store.count(kind, parent))

    def _place(self, per_page: int, most: int) -> tuple[int, int]:
        size = self.number("per_page", per_page, 1, most)
        return size, (self.number("page", 1, 1) - 1) * size


def _page(part: list[Any], page: int, size: int, total: int) -> Reply:
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": total,
        "total_pages": -(-total // size),
    }
    return Reply(part, info=info)
