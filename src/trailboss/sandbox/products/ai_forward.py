"""Workers AI requests answered by an OpenAI-compatible server the user names.

Its address comes from `TRAILBOSS_SANDBOX_AI_URL` (up to `/v1`), its key from `TRAILBOSS_SANDBOX_AI_KEY`.
Models keep Cloudflare's names unless `TRAILBOSS_SANDBOX_AI_MODEL` says otherwise; embeddings are asked there
only when `TRAILBOSS_SANDBOX_AI_EMBEDDING_MODEL` is set, for their dimensions must be the index's.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trailboss.sandbox.products.text_model import messages_of

if TYPE_CHECKING:
    import aiohttp

CARRIED = ("max_tokens", "temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "tools")


class ServerFailed(Exception):
    """The server answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask. The key is only ever sent in the Authorization header."""

    url: str
    key: str = ""
    model: str = ""
    embedding_model: str = ""

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    @classmethod
    def from_environment(cls) -> Server | None:
        """The server the environment names, if any."""
        url = os.environ.get("TRAILBOSS_SANDBOX_AI_URL", "")
        if not url:
            return None
        return cls(
            url.rstrip("/"),
            os.environ.get("TRAILBOSS_SANDBOX_AI_KEY", ""),
            os.environ.get("TRAILBOSS_SANDBOX_AI_MODEL", ""),
            os.environ.get("TRAILBOSS_SANDBOX_AI_EMBEDDING_MODEL", ""),
        )

    @asynccontextmanager
    async def _post(self, path: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp

        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as session,
                session.post(f"{self.url}/{path}", json=body, headers=headers) as response,
            ):
                if response.status >= 400:
                    raise ServerFailed(f"{self.url} answered {response.status}")
                yield response
        except aiohttp.ClientError as error:
            raise ServerFailed(f"{self.url} could not be asked: {error}") from error

    async def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        async with self._post(
            "embeddings", {"model": self.embedding_model or model, "input": texts}
        ) as reply:
            data = (await reply.json())["data"]
        return [one["embedding"] for one in sorted(data, key=lambda one: one["index"])]

    async def chat(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        """A whole answer in Workers AI's shape."""
        async with self._post("chat/completions", self._request(model, body, stream=False)) as reply:
            answer = await reply.json()
        message = answer["choices"][0]["message"]
        shape = {"response": message.get("content") or "", "usage": answer.get("usage") or {}}
        calls = [one["function"] for one in message.get("tool_calls") or []]
        return {**shape, "tool_calls": calls} if calls else shape

    async def stream(self, model: str, body: dict[str, Any]) -> AsyncIterator[str]:
        """The answer in pieces."""
        async with self._post("chat/completions", self._request(model, body, stream=True)) as reply:
            async for line in reply.content:
                text = line.decode().strip().removeprefix("data:").strip()
                if text and text != "[DONE]" and text.startswith("{"):
                    choices = json.loads(text).get("choices") or [{}]
                    if piece := (choices[0].get("delta") or {}).get("content"):
                        yield piece

    def _request(self, model: str, body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
        kept = {name: body[name] for name in CARRIED if body.get(name) is not None}
        chosen = self.model or model
        return {"model": chosen, "messages": messages_of(body), "stream": stream, **kept}
