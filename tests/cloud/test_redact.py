"""No credential in an error, a log, a repr, or a frame of a traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from types import TracebackType

import pytest

from tests.cloud.conftest import TOKEN
from tests.cloud.loopback import Answer, Loopback, Request, no
from trailboss.cloud import Cloud
from trailboss.cloud.redact import Redactor
from trailboss.cloud.retry import Retry
from trailboss.cloud.transport import Timeouts
from trailboss.errors import CloudError
from trailboss.values import Secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token abc-123 here", "token <secret> here"),
        ("q=a%2Fb%3D", "q=<secret>"),
        ("Authorization: Bearer zzzzzzzzzzzz", "Authorization: Bearer <secret>"),
        ("jwt eyJhbGciOiJIUzI1.eyJleHAiOjE3.c2ln end", "jwt <secret> end"),
        ("https://h/x?X-Amz-Signature=deadbeef&a=1", "https://h/x?X-Amz-Signature=<secret>&a=1"),
        ("X-Auth-Key: 0123456789", "X-Auth-Key: <secret>"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_text(text: str, shown: str) -> None:
    assert Redactor([Secret("abc-123"), Secret("a/b="), Secret("")]).text(text) == shown


def test_deep() -> None:
    value = {"k s3": ["s3", {"x": ("s3",)}], "n": 1, "s3": None}
    assert Redactor([Secret("s3")]).deep(value)["k <secret>"][0] == "<secret>"


def _frames(error: BaseException | None) -> Iterator[str]:
    """Every local variable of every frame of an error and of those it came from."""
    while error is not None:
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            if "tests" not in trace.tb_frame.f_code.co_filename:
                yield from (repr(value) for value in trace.tb_frame.f_locals.values())
            trace = trace.tb_next
        yield repr(error) + str(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


FAILURES: list[Callable[[Request], Answer]] = [
    lambda r: no(401, 10000, f"bad token {r.headers['authorization']}"),
    lambda _: Answer(cut="after"),
    lambda _: Answer(body=b"x" * 99, cut="middle"),
    lambda _: Answer(200, b"<html>"),
    lambda _: Answer(502, b"<html>"),
    lambda _: Answer(delay=3),
    lambda _: Answer(200, b"\x1f\x8bnot gzip", {"content-encoding": "gzip"}),
]


@pytest.mark.parametrize("respond", FAILURES)
def test_errors_and_their_frames(
    connect: Callable[..., Cloud], respond: Callable[[Request], Answer], caplog: pytest.LogCaptureFixture
) -> None:
    body = {"name": "DB_PASSWORD", "text": Secret("hunter2hunter2"), "type": "secret_text"}

    async def main() -> CloudError:
        options = {"timeouts": Timeouts(total=0.1), "retry": Retry(attempts=1)}
        async with Loopback(respond) as server, connect(server, **options) as cloud:
            assert TOKEN not in repr(cloud) + repr(cloud.target) + str(cloud.stats)
            with pytest.raises(CloudError) as caught:
                await cloud.put("/x", json=body)
            return caught.value

    with caplog.at_level(logging.DEBUG):
        shown = "\n".join([*_frames(asyncio.run(main())), caplog.text])
    assert TOKEN not in shown
    assert "hunter2" not in shown
