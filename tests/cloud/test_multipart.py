"""Forms are laid out byte for byte as wrangler's encoder lays them out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailboss.cloud import Multipart, Part
from trailboss.toolchain import node_binary
from trailboss.values import Secret


def test_the_layout() -> None:
    form = Multipart(
        [
            Part("metadata", '{"main_module":"index.js"}'),
            Part("index.js", b"export default {}", "index.js", "application/javascript+module"),
            Part("notes", b"x", "notes.txt"),
        ],
        boundary="B",
    )
    assert form.content_type == "multipart/form-data; boundary=B"
    assert form.as_bytes() == (
        b'--B\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"main_module":"index.js"}\r\n'
        b'--B\r\nContent-Disposition: form-data; name="index.js"; filename="index.js"\r\n'
        b"Content-Type: application/javascript+module\r\n\r\nexport default {}\r\n"
        b'--B\r\nContent-Disposition: form-data; name="notes"; filename="notes.txt"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\nx\r\n"
        b"--B--\r\n"
    )


@pytest.mark.parametrize(
    ("part", "head"),
    [
        (Part('a"b\r\nc', "x"), 'form-data; name="a%22b%0D%0Ac"\r\n\r\n'),
        (Part("ü/n", "x", "ü.js", ""), 'form-data; name="ü/n"; filename="ü.js"\r\n\r\n'),
    ],
)
def test_names_cannot_break_out(part: Part, head: str) -> None:
    assert part.head() == f"Content-Disposition: {head}".encode()


def test_text_fields_get_form_line_ends_and_files_do_not() -> None:
    assert b"a\r\nb\r\nc" in Multipart([Part("t", "a\nb\rc")]).as_bytes()
    assert b"a\nb\rc" in Multipart([Part("t", "a\nb\rc", "t")]).as_bytes()


def test_secrets_show_only_in_the_body() -> None:
    part = Part("value", Secret("hush"))
    assert "hush" not in repr(part)
    assert b"hush" in Multipart([part]).as_bytes()


def test_files_are_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"y" * 600_000)
    form = Multipart([Part("f", file, "f")])
    assert max(len(chunk) for chunk in form.chunks()) <= 256 * 1024
    assert b"".join(form.chunks()) == form.as_bytes()
    assert len(form.as_bytes()) == form.length


@given(st.lists(st.tuples(st.text(min_size=1), st.text() | st.binary(), st.none() | st.text())))
def test_the_length_is_right(parts: list[tuple[str, str | bytes, str | None]]) -> None:
    try:
        form = Multipart([Part(name, content, filename) for name, content, filename in parts])
        body = form.as_bytes()
    except UnicodeEncodeError:
        return
    assert len(body) == form.length


NODE = """
const form = new FormData();
form.set("metadata", '{"a":\\n1}\\r');
form.set("index.js", new File(["export\\ndefault"], "index.js", {type: "application/javascript+module"}));
const wasm = new Uint8Array([0, 255, 10]);
form.set('q"\\r\\nü/é', new File([wasm], 'w"\\r\\n.wasm', {type: "application/wasm"}));
form.set("plain", new File(["x"], "plain"));
form.set("same", "1"); form.append("same", "2");
new Response(form).arrayBuffer().then((body) => process.stdout.write(Buffer.from(body)));
"""


def test_node_writes_the_same_bytes() -> None:
    """Wrangler's forms are Node's: the same parts must give the same body."""
    done = subprocess.run([node_binary(), "-e", NODE], capture_output=True, check=True)
    boundary = done.stdout.split(b"\r\n", 1)[0][2:].decode()
    parts = [
        Part("metadata", '{"a":\n1}\r'),
        Part("index.js", b"export\ndefault", "index.js", "application/javascript+module"),
        Part('q"\r\nü/é', b"\x00\xff\n", 'w"\r\n.wasm', "application/wasm"),
        Part("plain", b"x", "plain"),
        Part("same", "1"),
        Part("same", "2"),
    ]
    assert Multipart(parts, boundary=boundary).as_bytes() == done.stdout
