"""The code of dataclasses: the same with and without memory, and no memory that is not ours and whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trailboss.toolchain.compiled import Kept

SCRIPT = """
from __future__ import annotations
import sys
import dataclasses
compiled = []
real = compile
import builtins
builtins.compile = lambda text, *a, **k: (compiled.append(text), real(text, *a, **k))[1]
from trailboss.toolchain.compiled import keep_generated
keep_generated("test")

@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Point:
    x: int
    y: list[int] = dataclasses.field(default_factory=list, compare=False)

    @property
    def double(self) -> int:
        return 2 * self.x

a, b = Point(1, [2]), Point(x=2)
assert (a, b) == (dataclasses.replace(b, x=1), Point(2)) and a < b and hash(a) == hash(Point(1))
assert (repr(a), a.double, a.__init__.__annotations__["x"]) == ("Point(x=1, y=[2])", 2, "int")
try:
    a.x = 3
except dataclasses.FrozenInstanceError:
    print(len(compiled))
"""


def run(cache: Path, **more: str) -> int:
    """How many texts were compiled."""
    environ = {**os.environ, "TRAILBOSS_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "", **more}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_the_second_start_compiles_nothing(tmp_path: Path) -> None:
    assert run(tmp_path) >= 5
    assert run(tmp_path) == 0
    (file,) = (tmp_path / "compiled").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "readable", "link"])
def test_a_memory_that_is_not_ours_and_whole_is_not_read(tmp_path: Path, damage: str) -> None:
    run(tmp_path)
    (file,) = (tmp_path / "compiled").iterdir()
    data = file.read_bytes()
    if damage in ("cut", "empty"):
        file.write_bytes(data[:-1] if damage == "cut" else b"")
    elif damage == "changed":
        file.write_bytes(data[:-9] + b"x" + data[-8:])
    elif damage == "readable":
        file.chmod(0o644)
    else:
        file.symlink_to(file.rename(tmp_path / "elsewhere"))
    assert run(tmp_path) >= 5
    assert run(tmp_path) == 0


def test_nothing_is_kept_where_python_keeps_nothing(tmp_path: Path) -> None:
    run(tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert not (tmp_path / "compiled").exists()
    (tmp_path / "compiled").write_text("")
    assert run(tmp_path) >= 5
    assert run(tmp_path) >= 5


def test_only_what_was_used_is_kept(tmp_path: Path) -> None:
    first = Kept(tmp_path / "x")
    space: dict[str, int] = {}
    first.execute("a = 1", space, space)
    first.execute("b = 2", space, space)
    assert (space["a"], space["b"]) == (1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", False)
        first.save()
        written = first.file.stat().st_mtime_ns
        second = Kept(tmp_path / "x")
        second.execute("a = 1", space, space)
        second.save()
        assert first.file.stat().st_mtime_ns == written
        second.execute("c = 1", space, space)
        second.save()
    assert len(Kept(tmp_path / "x")._known) == 2
