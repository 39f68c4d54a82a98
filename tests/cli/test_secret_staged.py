"""`versions secret …`: a version with other secrets, and what runs stays as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox
from tests.secrets.conftest import Op, op

__all__ = ["op"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "wrangler.jsonc").write_text(
        '{"name": "api", "main": "i.js", "compatibility_date": "2026-01-01"}'
    )
    (tmp_path / "i.js").write_text(
        "export default { fetch(_, env) { return new Response(`${env.A} ${env.B}`) } }"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_staged_then_deployed(
    op: Op, project: Path, target: Sandbox, trailboss: Trailboss, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{op.folder}{os.pathsep}{os.environ['PATH']}")
    refused = trailboss("versions", "secret", "put", "A", "--json", stdin="x")
    assert refused.error["code"] == "TB4010"
    assert trailboss("deploy").status == 0
    (project / "values").write_text("A=op://prod/Stripe/secret key\nB=2\n")
    done = trailboss("versions", "secret", "bulk", "values", "--message", "both", "--json")
    assert done.status == 0, done.err
    check("trailboss versions secret put", done.json)
    assert (done.json["number"], done.json["added"]) == (2, ["A", "B"])
    assert target.worker("api").text == "undefined undefined"
    again = trailboss("versions", "secret", "put", "B", "--tag", "t", stdin="3\n")
    assert "v3 has 1 change of secrets, and no traffic yet" in again.out
    assert trailboss("versions", "secret", "delete", "NOPE", "--json").json["absent"] == ["NOPE"]
    names = trailboss("versions", "secret", "list", "--json").json
    check("trailboss versions secret list", names)
    assert [version["secrets"] for version in names["versions"]] == [[]]
    newest = trailboss("versions", "secret", "list", "--latest-version")
    assert newest.out.split() == ["v3", "no", "traffic", "A", "B"]
    assert trailboss("versions", "deploy", "v3", "--force").status == 0
    assert target.worker("api").text == "sk_live_1 3"
    (project / "values").write_text("A=op://prod/Stripe/secret key\nB=3\n")
    assert trailboss("secret", "status", "values", "--exit-code").status == 0
    assert "sk_live_1" not in "".join(one.out + one.err for one in (done, again, newest))
