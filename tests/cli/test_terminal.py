"""Where a terminal, a pipe or a signal matters: real processes."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Sandbox

TRAILBOSS = [sys.executable, "-m", "trailboss"]


@pytest.mark.parametrize(("words", "status"), [(("schema",), 0), (("history", "--env", "no", "--json"), 2)])
def test_a_reader_that_leaves_is_no_error(words: tuple[str, ...], status: int, tmp_path: Path) -> None:
    (tmp_path / "wrangler.json").write_text('{"name": "w", "env": {"a": {}}}')
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*TRAILBOSS, *words], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, timeout=30
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (status, b"")


def test_a_secret_is_asked_for_and_not_shown(target: Sandbox, hello: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(TRAILBOSS[0], [*TRAILBOSS, "secret", "put", "API_KEY"])
    seen = b""
    while b"Value of API_KEY" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"canary-51d2\n")
    with suppress(OSError):  # Linux says so when the other end has closed
        while part := os.read(terminal, 4096):
            seen += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, seen
    assert b"canary" not in seen
    assert b"API_KEY" in seen
    assert target.call("GET", f"{target.account}/workers/scripts/hello/secrets") == [
        {"name": "API_KEY", "type": "secret_text"}
    ]


def test_ctrl_c_ends_a_question_at_once(target: Sandbox, hello: Path) -> None:
    (hello / "trailboss.toml").write_text('[resources.queue.jobs]\nname = "jobs"\n')
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(TRAILBOSS[0], [*TRAILBOSS, "apply"])
    seen = b""
    while b"Carry this out?" not in seen:
        seen += os.read(terminal, 4096)
    with suppress(OSError):
        os.write(terminal, b"\x03")
        while True:
            if not select.select([terminal], [], [], 2.0)[0]:
                os.write(terminal, b"\x03")  # input() misses one that comes while it gets ready to read
            elif not (part := os.read(terminal, 4096)):
                break
            else:
                seen += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130, seen
    assert target.call("GET", f"{target.account}/queues") == []
    again = subprocess.run([*TRAILBOSS, "apply", "--yes"], capture_output=True, timeout=30)
    assert again.returncode == 0, again.stderr  # no lock was left behind
