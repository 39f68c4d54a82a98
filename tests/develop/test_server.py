"""The dev server's start when another program is faster with one of its ports."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from trailboss.develop import server
from trailboss.develop.keeper import Crashed
from trailboss.develop.lines import Entry, Said
from trailboss.develop.listening import DEVTOOLS, Devtools
from trailboss.develop.ports import free_port
from trailboss.develop.setup import Setup, Wish
from trailboss.errors import BuildError, UsageError

WRANGLER = """
import pathlib, signal, sys
port, runs = sys.argv[1], pathlib.Path(sys.argv[2])
runs.write_text((runs.read_text() if runs.exists() else "") + " ".join(sys.argv[3:]) + "\\n")
if len(runs.read_text().splitlines()) <= int(sys.argv[3]):
    sys.exit(f"✘ [ERROR] Address already in use (localhost:{port}). Please check that you are not")
print(f"Ready on http://localhost:{port}", flush=True)
signal.pause()
"""


class Start:
    """A server whose wrangler loses its port `losses` times."""

    def __init__(self, folder: Path, port: int, losses: int) -> None:
        program = folder / "wrangler.py"
        program.write_text(WRANGLER)
        self.runs = folder / "runs"
        command = [sys.executable, str(program), str(port), str(self.runs), str(losses)]
        wish = Wish(command, [], {}, folder, port=port)
        self.said: list[Said | Crashed] = []
        self.setup = Setup(wish, (), lambda _: pytest.fail("nothing asks for a secret"))

    def run(self) -> str:
        """Until it is ready; its address."""
        return asyncio.run(self._run())

    async def _run(self) -> str:
        with self.setup as setup:
            running = server.Server(setup, self.said.append)
            work = asyncio.create_task(running.run())
            ready = asyncio.create_task(running.ready.wait())
            await asyncio.wait({work, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            if work.done():
                ready.cancel()
                await work
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return running.url

    @property
    def warned(self) -> list[Any]:
        return [said.text for said in self.said if isinstance(said, Entry)]


def test_a_port_that_was_lost_for_a_moment_is_tried_again(tmp_path: Path) -> None:
    start = Start(tmp_path, free_port(), 2)
    assert start.run().startswith("http://localhost:")
    assert len(start.runs.read_text().splitlines()) == 3
    assert start.warned == ["another program took a port of the server while it started; it starts again"] * 2


def test_a_port_that_stays_lost_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PORT_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(UsageError, match="is taken by") as caught,
    ):
        Start(tmp_path, other.getsockname()[1], 9).run()
    assert caught.value.code == "TB9460"


def test_wranglers_words_are_told_in_the_end(tmp_path: Path) -> None:
    start = Start(tmp_path, free_port(), 99)
    with pytest.raises(BuildError) as caught:
        start.run()
    assert caught.value.code == "TB3601"
    assert start.warned[-1].startswith("Address already in use (localhost:")


def test_two_sessions_choose_two_devtools_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAILBOSS_CACHE_DIR", str(tmp_path))
    one, other = Devtools(), Devtools()
    first = one.choose()
    assert DEVTOOLS <= first < other.choose()
    assert one.choose() == first
    one.release()
    third = Devtools()
    assert third.choose() == first
    for each in (other, third):
        each.release()
