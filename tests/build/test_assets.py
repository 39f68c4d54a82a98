"""The manifest of a folder of static assets."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.build.projects import make
from trailboss.build import assets
from trailboss.build.assets import scan
from trailboss.build.gitignore import Ignore
from trailboss.build.mime import content_type
from trailboss.errors import BuildError


def test_hash_is_wranglers(tmp_path: Path) -> None:
    """Taken from a recorded upload of wrangler 4.164; test_requests compares whole manifests."""
    path = make(tmp_path, {"index.html": "hi\n"}) / "index.html"
    from blake3 import blake3

    assert assets.hash_file(path) == blake3(b"aGkKhtml").hexdigest()[:32]


def test_large_file_is_hashed_in_pieces(tmp_path: Path) -> None:
    import base64

    from blake3 import blake3

    data = os.urandom(3 * 1024 * 1024 + 1)
    (tmp_path / "a.bin").write_bytes(data)
    whole = blake3(base64.b64encode(data) + b"bin").hexdigest()[:32]
    assert assets.hash_file(tmp_path / "a.bin") == whole


def test_what_is_left_out(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            ".assetsignore": "*.map\n/secret/\n!keep.map\n",
            "_headers": "h",
            "_redirects": "r",
            "a.js": "",
            "a.js.map": "",
            "keep.map": "",
            "secret/x": "",
            "deep/_headers": "served",
            "deep/secret/y": "",
            ".well-known/z": "",
        },
    )
    (tmp_path / "link").symlink_to(tmp_path / "a.js")
    (tmp_path / "folder-link").symlink_to(tmp_path / "deep")
    found = scan(tmp_path, {})
    assert set(found.files) == {
        *("/a.js", "/keep.map", "/deep/_headers", "/deep/secret/y", "/.well-known/z", "/link")
    }
    assert (found.headers, found.redirects) == ("h", "r")


PATTERNS = [
    ("*.log", "a/b.log", True),
    ("*.LOG", "a/b.log", True),
    ("/only", "a/only", False),
    ("/only", "only", True),
    ("a/b", "x/a/b", False),
    ("**/b", "x/a/b", True),
    ("a/**", "a/x/y", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("dir/", "dir", False),
    ("dir/", "x/dir/file", True),
    ("f?o", "fXo", True),
    ("f?o", "f/o", False),
    ("[a-c].txt", "b.txt", True),
    ("[!a-c].txt", "b.txt", False),
    (r"\#x", "#x", True),
    ("# comment", "# comment", False),
    ("trailing  ", "trailing", True),
    ("*", ".hidden", True),
]


@pytest.mark.parametrize(("pattern", "path", "ignored"), PATTERNS)
def test_ignore_pattern(pattern: str, path: str, ignored: bool) -> None:
    assert Ignore([pattern]).ignores(path) is ignored


def test_last_pattern_wins_but_not_inside_an_ignored_folder() -> None:
    ignore = Ignore(["*.txt", "!a.txt", "dir/", "!dir/b.md"])
    assert not ignore.ignores("a.txt")
    assert ignore.ignores("dir/b.md")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.JS", "text/javascript; charset=utf-8"),
        ("a.tar.gz", "application/gzip"),
        ("a.wasm", "application/wasm"),
        ("x/noext", None),
        (".html", None),
        ("a.unknown", None),
        ("a.", None),
    ],
)
def test_content_type(path: str, expected: str | None) -> None:
    assert content_type(path) == expected


def failing(folder: Path) -> BuildError:
    with pytest.raises(BuildError) as caught:
        scan(folder, {})
    assert caught.value.hint
    return caught.value


def test_bad_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing(tmp_path / "none").code == "TB3302"
    (make(tmp_path / "a", {"x": ""}) / "dangling").symlink_to("nowhere")
    assert failing(tmp_path / "a").code == "TB3301"
    assert "dangling" in failing(tmp_path / "a").message
    assert failing(make(tmp_path / "b", {"_worker.js": ""})).code == "TB3304"
    assert failing(make(tmp_path / "c", {"_worker.js/index.js": ""})).code == "TB3304"
    assert scan(make(tmp_path / "d", {"_worker.js": "", ".assetsignore": ""}), {}).files
    (make(tmp_path / "e", {"x": ""}) / ".assetsignore").write_bytes(b"\xff\xfe")
    assert failing(tmp_path / "e").code == "TB3305"
    monkeypatch.setattr(assets, "MAX_FILE", 3)
    assert failing(make(tmp_path / "f", {"big": "1234"})).code == "TB3303"
    monkeypatch.setattr(assets, "MAX_FILES", 1)
    assert failing(make(tmp_path / "g", {"1": "", "2": ""})).code == "TB3306"


def test_index_follows_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, index = make(tmp_path / "a", {"x": "1", "y": "2"}), tmp_path / "index.json"
    monkeypatch.setattr(assets, "_RACY_NS", -(10**12))
    before = scan(folder, {}, index=index)
    hashed: list[Path] = []
    real = assets.hash_file
    monkeypatch.setattr(assets, "hash_file", lambda path: hashed.append(path) or real(path))
    assert scan(folder, {}, index=index) == before
    assert not hashed
    (folder / "x").write_text("3")
    assert scan(folder, {}, index=index).files["/x"] != before.files["/x"]
    assert [path.name for path in hashed] == ["x"]
    index.write_text("[broken")
    assert set(scan(folder, {}, index=index).files) == {"/x", "/y"}
    (folder / "y").unlink()
    assert set(scan(folder, {}, index=index).files) == {"/x"}


def test_many_files_are_quick_and_cheap(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(50):
        (folder / str(number)).mkdir(parents=True)
        for other in range(20):
            (folder / str(number) / f"{other}.txt").write_text(f"{number}-{other}")
    (folder / "big.bin").write_bytes(bytes(20 * 1024 * 1024))
    os.utime(folder)
    tracemalloc.start()
    first = scan(folder, {}, index=tmp_path / "index")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    start = time.perf_counter()
    again = scan(folder, {}, index=tmp_path / "index")
    assert first == again
    assert peak < 8 * 1024 * 1024
    assert time.perf_counter() - start < 2
