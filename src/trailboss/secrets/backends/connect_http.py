"""The HTTP side of a Connect server: GET, a token, at most eight at a time, and typed refusals.

Nothing of httpx's own exceptions is kept: their frames hold the token."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from trailboss.errors import SecretError
from trailboss.secrets.backends import failures
from trailboss.values import Secret

if TYPE_CHECKING:
    import httpx

TOKEN = "OP_CONNECT_TOKEN"  # noqa: S105 - the variable's name
AT_ONCE = 8
UNREADABLE = object()


class Http:
    """One connection pool to one server."""

    def __init__(self, client: httpx.AsyncClient, host: str, timeout: float) -> None:
        self._client, self._host, self._timeout = client, host, timeout
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def found(self, path: str, what: str, **query: str) -> Any:
        """The decoded answer; None when there is no such thing (404, or 400 for what is no id).

        Raises SecretError TB7044 (401), TB7045 (403), TB7046 (429), TB7047 and TB7048 (no answer)."""
        answer = await self._get(path, what, query)
        decoded = None if answer is None else _decoded(answer)
        if decoded is UNREADABLE:
            raise failures.out_of_reach(self._what, "its answer is not JSON")
        return decoded

    async def text(self, path: str, what: str) -> Secret | None:
        """A file's content; None when it is not UTF-8 text. Raises as `found`."""
        answer = await self._get(path, what, {})
        return None if answer is None else _as_text(answer)

    async def _get(self, path: str, what: str, query: dict[str, str]) -> httpx.Response | None:
        async with self._slots:
            answer = await self._sent(path, query)
        if isinstance(answer, SecretError):
            raise answer
        if answer.status_code == 200:
            return answer
        if answer.status_code in (400, 404):
            return None
        raise self._refused(answer.status_code, what)

    async def _sent(self, path: str, query: dict[str, str]) -> httpx.Response | SecretError:
        import httpx

        try:
            return await self._client.get(path, params=query)
        except httpx.TimeoutException:
            return failures.no_answer(self._what, self._timeout)
        except httpx.ConnectError as error:
            return failures.out_of_reach(self._what, str(error))
        except httpx.HTTPError as error:  # its text may hold what was sent
            return failures.out_of_reach(self._what, type(error).__name__)

    def _refused(self, status: int, what: str) -> SecretError:
        if status == 401:
            return failures.bad_token(TOKEN)
        if status == 403:
            return failures.not_allowed(TOKEN, what)
        if status == 429:
            return failures.rate_limited()
        return failures.out_of_reach(self._what, f"HTTP {status}")

    @property
    def _what(self) -> str:
        return f"The Connect server {self._host}"


def _decoded(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return UNREADABLE


def _as_text(answer: httpx.Response) -> Secret | None:
    try:
        return Secret(answer.content.decode("utf-8"))
    except UnicodeDecodeError:
        return None
