"""`secret status` and `secret rotate` from the command line, and what a deploy ships by itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox
from tests.secrets.conftest import Op, op

__all__ = ["op"]
CANARY = "canary-3f81"


def vaults(value: str) -> dict[str, list[dict[str, object]]]:
    fields = [{"label": "STRIPE", "value": f"{CANARY}-{value}"}, {"label": "FIXED", "value": f"{CANARY}-f"}]
    return {"Agency": [{"title": "api-staging", "fields": fields}]}


@pytest.fixture
def vault(op: Op, monkeypatch: pytest.MonkeyPatch) -> Op:
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.environ['PATH']}")
    op.set(vaults=vaults("one"))
    return op


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "wrangler.jsonc").write_text(
        '{"name": "api", "main": "i.js", "compatibility_date": "2026-01-01",'
        ' "secrets": {"required": ["STRIPE", "FIXED"]}}'
    )
    (folder / "i.js").write_text(
        "export default { fetch(_, env) { return new Response(env.STRIPE + ' ' + env.FIXED) } }"
    )
    (folder / "trailboss.toml").write_text("[environments.staging]\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TRAILBOSS_ENV", "staging")
    return folder


def test_from_init_to_rotation(vault: Op, project: Path, target: Sandbox, trailboss: Trailboss) -> None:
    assert trailboss("op", "init", "--vault", "Agency").status == 0
    deployed = trailboss("deploy", "--json")
    assert deployed.status == 0, deployed.err
    assert deployed.json["workers"][0]["secrets"] == ["FIXED", "STRIPE"]
    assert target.worker("api-staging").text == f"{CANARY}-one {CANARY}-f"
    assert trailboss("deploy", "--json").json["workers"][0]["outcome"] == "unchanged"

    known = trailboss("secret", "status", "--exit-code", "--json")
    check("trailboss secret status", known.json)
    assert known.status == 0 and known.json["in_sync"] is True
    assert known.json["source"].endswith(".env.staging")

    vault.set(vaults=vaults("two"))
    stale = trailboss("secret", "status", "--exit-code")
    assert stale.status == 3 and "differs" in stale.out and "does not have the values" in stale.err

    turned = trailboss("secret", "rotate", "--json")
    assert turned.status == 0, turned.err
    check("trailboss secret rotate", turned.json)
    assert turned.json["names"] == ["STRIPE"]
    assert target.worker("api-staging").text == f"{CANARY}-two {CANARY}-f"
    assert "Nothing to do" in trailboss("secret", "rotate").out
    shown = [deployed, known, stale, turned]
    assert CANARY not in "".join(done.out + done.err for done in shown)


def test_required_and_nowhere(project: Path, target: Sandbox, trailboss: Trailboss) -> None:
    done = trailboss("deploy", "--json")
    assert done.status == 1 and done.error["code"] == "TB7014"
    assert "api-staging: STRIPE, FIXED" in done.error["message"]


def test_the_ways_a_rotation_is_given_its_value(
    vault: Op, project: Path, target: Sandbox, trailboss: Trailboss
) -> None:
    trailboss("secret", "bulk", stdin='{"STRIPE": "a", "FIXED": "c"}')
    again = trailboss("secret", "bulk", "--json", stdin='{"STRIPE": "a", "FIXED": "b"}').json
    check("trailboss secret put", again)
    assert (again["set"], again["changed"], again["unchanged"]) == (
        ["STRIPE", "FIXED"],
        ["FIXED"],
        ["STRIPE"],
    )
    assert trailboss("deploy").status == 0
    by_pipe = trailboss("secret", "rotate", "STRIPE", stdin="piped\n")
    assert by_pipe.status == 0, by_pipe.err
    assert target.worker("api-staging").text == "piped b"
    assert trailboss("secret", "rotate", "FIXED", "--value-from", "op://Agency/api-staging/FIXED").status == 0
    assert target.worker("api-staging").text == f"piped {CANARY}-f"
    for words, code in (
        (("A", "B", "--value-from", "op://a/b/c"), "TB9081"),
        ((), "TB9082"),
        (("STRIPE", "--file", "wrangler.jsonc"), "TB7005"),
        (("NOPE", "STRIPE", "--file", "values"), "TB9083"),
    ):
        (project / "values").write_text("STRIPE=x\n")
        assert trailboss("secret", "rotate", *words, "--json").error["code"] == code


def test_the_key_of_fingerprints_is_a_reference(
    vault: Op, project: Path, target: Sandbox, trailboss: Trailboss
) -> None:
    (project / "wrangler.jsonc").write_text('{"name": "api", "compatibility_date": "2026-01-01"}')
    settings = project / "trailboss.toml"
    settings.write_text(f'[secrets]\nfingerprint_key = "{CANARY}"\n[environments.staging]\n')
    refused = trailboss("secret", "put", "A", "--json", stdin="x")
    assert refused.error["code"] == "TB7017" and refused.error["where"].endswith("trailboss.toml:2:1")
    settings.write_text(
        '[secrets]\nfingerprint_key = "op://Agency/api-staging/FIXED"\n[environments.staging]\n'
    )
    assert trailboss("secret", "put", "A", stdin="x").status == 0
    (project / "values").write_text("A=x\n")
    assert trailboss("secret", "status", "values", "--json").json["in_sync"] is True
    settings.write_text("[secrets]\nfingerprints = false\n[environments.staging]\n")
    assert trailboss("secret", "status", "values", "--json").json["in_sync"] is None
