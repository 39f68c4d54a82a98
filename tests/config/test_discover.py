"""Which files are found, as wrangler finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.wrangler_config import find_configs
from trailboss.config.discover import Found, find_wrangler
from trailboss.errors import ConfigError


def make(root: Path, *names: str, text: str = "{}") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_json_wins_over_jsonc_wins_over_toml_even_from_further_up(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    make(tmp_path, "wrangler.toml", text="")
    make(tmp_path, "a/b/x")
    assert find_wrangler(inner) == Found(tmp_path / "wrangler.toml", tmp_path / "wrangler.toml")
    make(tmp_path, "a/wrangler.jsonc")
    assert find_wrangler(inner) == Found(tmp_path / "a/wrangler.jsonc", tmp_path / "a/wrangler.jsonc")
    make(tmp_path, "a/b/wrangler.toml", text="")
    assert find_wrangler(inner) == Found(tmp_path / "a/wrangler.jsonc", tmp_path / "a/wrangler.jsonc")
    make(tmp_path, "wrangler.json")
    assert find_wrangler(inner) == Found(tmp_path / "wrangler.json", tmp_path / "wrangler.json")


def test_nothing_and_folders_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "wrangler.json").mkdir()
    assert find_wrangler(tmp_path) is None


def test_a_redirect_beside_the_user_config(tmp_path: Path) -> None:
    make(tmp_path, "wrangler.jsonc", "dist/w/wrangler.json")
    make(
        tmp_path, ".wrangler/deploy/config.json", text='{"configPath": "../../dist/w/wrangler.json", /* x */}'
    )
    found = find_wrangler(tmp_path)
    assert found == Found(tmp_path / "dist/w/wrangler.json", tmp_path / "wrangler.jsonc")
    assert found is not None and found.redirected


@pytest.mark.parametrize(
    ("redirect", "code"),
    [
        ("{}", "TB1104"),
        ('{"configPath": 3}', "TB1104"),
        ('{"configPath": ""}', "TB1104"),
        ('{"configPath": "gone.json"}', "TB1105"),
        ('{"configPath": "a\\u0000b"}', "TB1105"),
        ("{", "TB1004"),
        ("[]", "TB1008"),
    ],
)
def test_broken_redirects(redirect: str, code: str, tmp_path: Path) -> None:
    make(tmp_path, "wrangler.jsonc")
    make(tmp_path, ".wrangler/deploy/config.json", text=redirect)
    with pytest.raises(ConfigError) as caught:
        find_wrangler(tmp_path)
    assert caught.value.code == code
    assert str(tmp_path / ".wrangler/deploy/config.json") in str(caught.value.where)


def test_a_redirect_that_is_not_beside_the_user_config(tmp_path: Path) -> None:
    make(tmp_path, "app/wrangler.jsonc", "dist/wrangler.json")
    make(tmp_path, ".wrangler/deploy/config.json", text='{"configPath": "../../dist/wrangler.json"}')
    with pytest.raises(ConfigError) as caught:
        find_wrangler(tmp_path / "app")
    assert caught.value.code == "TB1106"


REDIRECT = ".wrangler/deploy/config.json"
TREES: list[tuple[str, dict[str, str]]] = [
    ("a", {}),
    ("a", {"wrangler.toml": ""}),
    ("a/b", {"wrangler.toml": "", "a/wrangler.jsonc": "{}"}),
    ("a/b", {"wrangler.json": "{}", "a/wrangler.jsonc": "{}", "a/b/wrangler.toml": ""}),
    ("a", {"a/wrangler.jsonc": "{}", f"a/{REDIRECT}": '{"configPath": "../../o.json"}', "a/o.json": "{}"}),
    ("a/b", {"a/wrangler.toml": "", f"a/{REDIRECT}": '{"configPath": "../../x"}', "a/x": ""}),
    ("a", {REDIRECT: '{"configPath": "../../o.json"}', "o.json": "{}"}),
    ("a", {"a/wrangler.toml": "", REDIRECT: '{"configPath": "../../o.json"}', "o.json": "{}"}),
    ("a", {"a/wrangler.toml": "", f"a/{REDIRECT}": '{"configPath": "../../gone.json"}'}),
    ("a", {"a/wrangler.toml": "", f"a/{REDIRECT}": "{}"}),
]


def test_finds_what_wrangler_finds(tmp_path: Path) -> None:
    folders = []
    for number, (start, files) in enumerate(TREES):
        root = tmp_path / str(number)
        (root / "a/b").mkdir(parents=True)
        for name, text in files.items():
            make(root, name, text=text)
        folders.append(root / start)
    for folder, theirs in zip(folders, find_configs(folders, tmp_path), strict=True):
        if isinstance(theirs, str):
            with pytest.raises(ConfigError):
                find_wrangler(folder)
            continue
        found = find_wrangler(folder)
        ours = [None, None] if found is None else [str(found.file), found.user_file and str(found.user_file)]
        assert ours == theirs
