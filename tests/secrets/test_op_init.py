from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.secrets.conftest import Op
from trailboss.config import Project
from trailboss.errors import SecretError
from trailboss.secrets.op_init import OpInit, apply, check, plan_op_init
from trailboss.secrets.settings import SecretsSettings

WRANGLER = """{
  "name": "agency", "main": "i.ts", "compatibility_date": "2026-01-01",
  "secrets": {"required": ["STRIPE_KEY", "DB_URL"]}
}"""
SETTINGS = """\
# The agency.
name = "agency"

[environments.staging]
[environments.production]
protected = true  # always
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "agency"
    folder.mkdir()
    (folder / "wrangler.jsonc").write_text(WRANGLER)
    (folder / "trailboss.toml").write_text(SETTINGS)
    return folder


def load(root: Path) -> Project:
    return Project.load(root, environ={})


def texts(plan: OpInit) -> dict[str, str]:
    return {write.path.name: write.text for write in plan.writes}


def test_what_would_be_written(root: Path) -> None:
    (root / ".dev.vars").write_text("LOCAL=1\nCLOUDFLARE_API_TOKEN=x\n")
    plan = plan_op_init(load(root), vault="Agency", backend="op")
    assert sorted(texts(plan)) == [".env.production", ".env.staging", "trailboss.toml"]
    assert sorted(path.name for path in root.iterdir()) == [".dev.vars", "trailboss.toml", "wrangler.jsonc"]
    toml = texts(plan)["trailboss.toml"]
    assert '[secrets]\nbackend = "op"\nvault = "Agency"\n' in toml
    assert "# The agency." in toml and "protected = true  # always" in toml
    lines = [line for line in texts(plan)[".env.staging"].splitlines() if not line.startswith("#")]
    assert lines == [
        "STRIPE_KEY=op://Agency/agency-staging/STRIPE_KEY",
        "DB_URL=op://Agency/agency-staging/DB_URL",
        "LOCAL=op://Agency/agency-staging/LOCAL",
    ]


def test_written_once_and_then_nothing_is_left_to_do(root: Path) -> None:
    assert len(apply(plan_op_init(load(root)))) == 3
    again = plan_op_init(load(root))
    assert not again.writes and again.vault == "agency"
    assert load(root).section("secrets", SecretsSettings).vault == "agency"
    assert (root / ".env.staging").stat().st_mode & 0o777 == 0o600
    assert len(list(root.iterdir())) == 4


def test_a_file_that_is_there_keeps_every_line(root: Path) -> None:
    old = "# mine\r\nSTRIPE_KEY='hunter2'\r\nEXTRA=op://x/y/z"
    (root / ".env.staging").write_bytes(old.encode())
    (root / ".env.qa").write_text("EXTRA=op://x/y/z\n")
    plan = plan_op_init(load(root), vault="Agency", environments=("staging", "qa", "production"))
    text = texts(plan)[".env.staging"]
    assert text.startswith(old + "\r\n") and text.endswith("DB_URL=op://Agency/agency-staging/DB_URL\r\n")
    assert [(plain.name, plain.where.line) for plain in plan.plain] == [("STRIPE_KEY", 2)]
    assert texts(plan)[".env.production"].count("EXTRA=op://Agency/agency-production/EXTRA\n") == 1
    assert "hunter2" not in repr(plan)
    apply(plan)
    assert (root / ".env.staging").read_bytes() == text.encode()


def test_without_trailboss_toml_and_without_names(tmp_path: Path) -> None:
    (tmp_path / "wrangler.jsonc").write_text('{"name": "plain", "main": "i.ts"}')
    plan = plan_op_init(load(tmp_path), environments=["development"])
    assert sorted(texts(plan)) == [".env.development", "trailboss.toml"]
    assert "# API_KEY=op://" in texts(plan)[".env.development"]
    apply(plan)
    assert asyncio.run(check(plan, {})) == ()
    assert load(tmp_path).name


def test_every_reference_is_checked(root: Path, op: Op) -> None:
    (root / "wrangler.jsonc").write_text(WRANGLER.replace('"STRIPE_KEY", "DB_URL"', '"STRIPE_KEY"'))
    fields = [{"label": "STRIPE_KEY", "value": "x"}]
    op.set(vaults={"Agency": [{"title": "agency-staging", "fields": fields}]})
    plan = plan_op_init(load(root), vault="Agency")
    found = asyncio.run(check(plan, op.environ))
    assert [(one.environment, one.name, one.state) for one in found] == [
        ("staging", "STRIPE_KEY", "found"),
        ("production", "STRIPE_KEY", "wrong"),
    ]
    assert 'no item "agency-production" in the vault "Agency"' in found[1].problem
    assert found[1].where is not None and found[1].where.file.name == ".env.production"


def test_nobody_can_be_asked(root: Path) -> None:
    with pytest.raises(SecretError) as caught:
        asyncio.run(check(plan_op_init(load(root)), {}))
    assert caught.value.code == "TB7004"


def test_a_file_that_cannot_be_written(root: Path) -> None:
    plan = plan_op_init(load(root))
    (root / ".env.staging").mkdir()
    with pytest.raises(SecretError) as caught:
        apply(plan)
    assert caught.value.code == "TB7052"
    assert sorted(path.name for path in root.iterdir()) == [
        ".env.staging",
        "trailboss.toml",
        "wrangler.jsonc",
    ]
