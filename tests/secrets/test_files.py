from __future__ import annotations

import io
from pathlib import Path

import pytest

from trailboss.errors import SecretError
from trailboss.secrets import read_dotenv, read_secrets, resolve
from trailboss.values import Secret


def write(folder: Path, text: str) -> Path:
    file = folder / "secrets"
    file.write_text(text)
    return file


def shown(found: dict[str, Secret | None]) -> dict[str, str | None]:
    return {name: value.reveal() if value else None for name, value in found.items()}


def test_json_with_a_removal(tmp_path: Path) -> None:
    file = write(tmp_path, ' {"A": "one", "B": null, "C": "${HOME_TOWN}"}')
    assert shown(read_secrets(file, {"HOME_TOWN": "Abilene"})) == {"A": "one", "B": None, "C": "Abilene"}


def test_dotenv_with_references(tmp_path: Path) -> None:
    file = write(tmp_path, "A=${X}-${Y}\nB='${X}'\nC=$${X}\n")
    assert shown(read_secrets(file, {"X": "1", "Y": "2"})) == {"A": "1-2", "B": "${X}", "C": "${X}"}
    assert read_dotenv(file, {"X": "1", "Y": "2"})["A"].reveal() == "1-2"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (None, "-"):
        monkeypatch.setattr("sys.stdin", io.StringIO("A=1"))
        assert shown(read_secrets(name, {})) == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("A=${NOPE}\nB=${NADA}", "TB7003", "NOPE, NADA"),
        ('{"A": "${NOPE}"}', "TB7003", "NOPE"),
        ("A=op://vault/item/field", "TB7004", "1Password"),
        ('{"A": 1, "B": {}}', "TB7005", "A, B"),
        ('{"A": "1",\n oops}', "TB7005", "not JSON"),
    ],
)
def test_refusals(tmp_path: Path, text: str, code: str, says: str) -> None:
    with pytest.raises(SecretError) as caught:
        read_secrets(write(tmp_path, text), {})
    assert caught.value.code == code
    assert says in caught.value.message
    assert caught.value.where is not None


def test_a_broken_json_file_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as caught:
        read_secrets(write(tmp_path, '{"A": "1",\n oops}'), {})
    assert caught.value.where is not None and caught.value.where.line == 2


def test_unreadable(tmp_path: Path) -> None:
    for file in (tmp_path / "missing", tmp_path):
        with pytest.raises(SecretError) as caught:
            read_secrets(file, {})
        assert caught.value.code == "TB7000"
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe\x00A")
    with pytest.raises(SecretError, match="UTF-8"):
        read_secrets(file, {})


def test_resolve_keeps_what_is_no_reference() -> None:
    assert resolve("$5 and ${ x } and $HOME", {}).reveal() == "$5 and ${ x } and $HOME"
