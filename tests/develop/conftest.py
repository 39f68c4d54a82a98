"""Start programs, wait for what they say, and see that nothing of them stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

TRAILBOSS = (sys.executable, "-m", "trailboss")


class Running:
    """A program that was started; its lines come in while the test goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()

    @property
    def text(self) -> str:
        """Everything it said."""
        return "\n".join(self.lines)

    def says(self, words: str, *, since: int = 0, patience: float = PATIENCE) -> str:
        """Wait for the first line at or after number `since` that has `words` in it."""
        end = time.monotonic() + patience
        with self._news:
            while True:
                for line in self.lines[since:]:
                    if words in line:
                        return line
                left = end - time.monotonic()
                assert left > 0 and not self._over, f"never said {words!r}:\n{self.text}"
                self._news.wait(left)

    def interrupt(self) -> int:
        """Ctrl-C; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Wait for its end; its exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("dev", "--port", "0", cwd=folder, NAME="value")`: the command line as a program."""
    with starter(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def start_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """The same, for programs that a whole module uses."""
    with starter(tmp_path_factory.mktemp("home")) as made:
        yield made


class starter:
    """Programs that are ended with the block, by force when they did not end by themselves."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running: list[Running] = []

    def __enter__(self) -> Start:
        return self.start

    def start(self, *words: str, cwd: Path, program: tuple[str, ...] = TRAILBOSS, **environ: str) -> Running:
        process = subprocess.Popen(
            [*program, *words],
            cwd=cwd,
            env={**surroundings(self.home), **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.running.append(Running(process))
        return self.running[-1]

    def __exit__(self, *_: object) -> None:
        for one in self.running:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
                try:
                    one.process.wait(15)
                except subprocess.TimeoutExpired:
                    one.process.kill()
                    one.process.wait()
            assert one.process.stdout is not None
            one._reader.join(10)
            one.process.stdout.close()


def surroundings(home: Path) -> dict[str, str]:
    """The variables of a program under test: nothing chooses an account, nothing is kept between tests."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDFLARE_", "CF_", "TRAILBOSS_TARGET", "TRAILBOSS_ENV", "OP_"))
    }
    return {
        **kept,
        "NO_COLOR": "1",
        "WRANGLER_SEND_METRICS": "false",
        "TRAILBOSS_CERTIFICATES_DIR": str(home / "certificates"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "MINIFLARE_REGISTRY_PATH": str(home / "registry"),
    }


def descendants(pid: int) -> set[int]:
    """The processes below `pid`, whatever their group."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = {int(word) for word in task.read_text().split()}
        except OSError:
            continue
        for one in children - found:
            found |= {one} | descendants(one)
    return found


def alive(pid: int) -> bool:
    """Whether the process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
