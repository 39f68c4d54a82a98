"""The variables of a run: precedence as in wrangler, and references asked for late and together."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from tests.secrets.conftest import Op, op
from trailboss.cli.dotenv import Environ, with_files
from trailboss.errors import SecretError
from trailboss.secrets import Vaults

__all__ = ["op"]


def made(
    folder: Path, environ: dict[str, str], *named: str, env: str | None = None
) -> tuple[Environ, list[str]]:
    said: list[str] = []
    vaults = Vaults(environ)
    return with_files(environ, folder, env, named, said.append, vaults=lambda: vaults), said


def test_a_later_file_wins_and_the_process_over_all(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CLOUDFLARE_API_TOKEN=a\nCLOUDFLARE_ACCOUNT_ID=b\nSTRIPE=c\nCF_EMAIL=d\n")
    (tmp_path / ".env.staging").write_text("CLOUDFLARE_API_TOKEN=e\nTRAILBOSS_TARGET=f\n")
    found, said = made(tmp_path, {"TRAILBOSS_TARGET": "g", "X": "1"}, env="staging")
    assert dict(found) == {
        "CLOUDFLARE_API_TOKEN": "e",
        "CLOUDFLARE_ACCOUNT_ID": "b",
        "CF_EMAIL": "d",
        "TRAILBOSS_TARGET": "g",
        "X": "1",
    }
    assert not said and "STRIPE" not in found and len(found) == 5


def test_references_are_asked_for_when_one_is_read_and_all_at_once(op: Op, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("ONE=op://prod/Stripe/secret key\nTWO=x-{{ op://prod/Stripe/a/key }}\n")
    (tmp_path / "b").write_text("THREE=${ONE}\nFOUR=4\n")
    environ = {**op.environ, "CLOUDFLARE_API_TOKEN": "op://App Staging/api/token"}
    found, _ = made(tmp_path, environ, "a", "b")
    assert found["FOUR"] == "4" and "ONE" in found and found.get("NOPE") is None
    assert not op.calls and "sk_live_1" not in repr(found)
    assert found["TWO"] == "x-in-a"
    assert (found["ONE"], found["THREE"], found["CLOUDFLARE_API_TOKEN"]) == (
        "sk_live_1",
        "sk_live_1",
        "staging-token",
    )
    assert [call["argv"] for call in op.calls] == [["inject"]]


def test_what_is_wrong_is_told_with_its_place_when_it_is_needed(op: Op, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CLOUDFLARE_ACCOUNT_ID=1\nCLOUDFLARE_API_TOKEN=op://prod/Nope/key\n")
    found, said = made(tmp_path, op.environ)
    assert found["CLOUDFLARE_ACCOUNT_ID"] == "1" and not said
    with pytest.raises(SecretError) as caught:
        found.get("CLOUDFLARE_API_TOKEN")
    assert caught.value.code == "TB7031" and str(caught.value.where) == f"{tmp_path / '.env'}:2"


def test_a_broken_file_is_left_out_unless_it_was_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CLOUDFLARE_API_TOKEN=1\nnonsense\n")
    found, said = made(tmp_path, {"A": "1"})
    assert dict(found) == {"A": "1"} and ".env:2" in said[0]
    for name, code in ((".env", "TB7001"), ("absent", "TB7000")):
        with pytest.raises(SecretError) as caught:
            made(tmp_path, {}, name)
        assert caught.value.code == code


def test_what_chooses_the_environment_is_no_reference(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRAILBOSS_ENV=op://prod/Stripe/key\n")
    found, _ = made(tmp_path, {})
    assert found["TRAILBOSS_ENV"] == "op://prod/Stripe/key"


def test_a_malformed_reference_harms_nobody_who_does_not_read_it(tmp_path: Path) -> None:
    found, _ = made(tmp_path, {"CLOUDFLARE_API_TOKEN": "op://x", "A": "1"})
    assert found["A"] == "1"
    with pytest.raises(SecretError) as caught:
        found["CLOUDFLARE_API_TOKEN"]
    assert caught.value.code == "TB7020"


def test_an_error_shows_no_variable_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("X=canary-1\nY='canary-2\n")
    with pytest.raises(SecretError) as caught:
        made(tmp_path, {"TOKEN": "canary-3"}, "a")
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(caught.value.__traceback__), capture_locals=True
    )
    own = [frame for frame in frames if "/tests/" not in frame.filename]
    assert own and "canary" not in "".join(traceback.StackSummary.from_list(own).format())
