"""Large objects over the REST API pass through the sandbox without being held in its memory."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Sandbox

MEBI = 1 << 20
SIZE = 128 * MEBI
PIECE = bytes(range(256)) * 1024


def content(size: int = SIZE) -> Iterator[bytes]:
    for _ in range(size // len(PIECE)):
        yield PIECE


@pytest.fixture
def objects(account: Sandbox) -> str:
    account.call("POST", f"{account.account}/r2/buckets", {"name": "files"})
    return f"{account.connection.api_url}{account.account}/r2/buckets/files/objects"


def peak(pid: int) -> int:
    """The most memory the process has held since `begin`, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def begin(pid: int) -> int:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak(pid)


@pytest.mark.parametrize("declared", [True, False], ids=["with-length", "chunked"])
def test_memory_stays_flat(account: Sandbox, objects: str, declared: bool) -> None:
    headers = {"content-length": str(SIZE)} if declared else {}
    before = begin(account.connection.pid)
    answer = account.http.put(f"{objects}/big", content=content(), headers=headers)
    assert answer.json()["result"]["size"] == str(SIZE)
    digest = hashlib.md5()
    with account.http.stream("GET", f"{objects}/big") as back:
        for piece in back.iter_bytes():
            digest.update(piece)
    wanted = hashlib.md5()
    for piece in content():
        wanted.update(piece)
    assert digest.hexdigest() == wanted.hexdigest() == answer.json()["result"]["etag"]
    assert peak(account.connection.pid) - before < SIZE // 4


def test_what_is_too_large_is_refused_before_it_is_sent(account: Sandbox, objects: str) -> None:
    host, port = account.connection.api_url.split("/")[2].split(":")
    path = "/" + objects.split("/", 3)[3] + "/huge"
    head = (
        f"PUT {path} HTTP/1.1\r\nhost: {host}:{port}\r\nauthorization: Bearer {account.connection.token}\r\n"
        f"content-length: {301 * MEBI}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as plug:
        plug.sendall(head.encode())
        assert b" 413 " in plug.recv(4096)


def test_a_client_that_leaves_leaves_nothing(account: Sandbox, objects: str) -> None:
    def broken() -> Iterator[bytes]:
        yield PIECE
        raise RuntimeError("the client's disk failed")

    with pytest.raises(RuntimeError):
        account.http.put(f"{objects}/half", content=broken(), headers={"content-length": str(SIZE)})
    with pytest.raises(RuntimeError):
        account.http.put(f"{objects}/half", content=broken())
    assert account.http.get(f"{objects}/half").status_code == 404
    assert account.http.put(f"{objects}/half", content=b"whole").status_code == 200
    assert account.http.get(f"{objects}/half").content == b"whole"
