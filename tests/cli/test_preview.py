"""`preview`: an environment for a branch, from its first write to the last note of it, killed on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.killing import at_call, killed
from tests.cli.test_json_output import check, documented
from tests.conftest import Sandbox

CONFIG = {
    "name": "shop",
    "main": "index.js",
    "compatibility_date": "2026-11-01",
    "routes": ["shop.example.com/*"],
    "vars": {"STAGE": "top"},
    "kv_namespaces": [{"binding": "CACHE"}],
    "d1_databases": [{"binding": "DB", "database_name": "orders"}],
    "r2_buckets": [{"binding": "FILES", "bucket_name": "shop-files"}],
    "env": {"staging": {"vars": {"STAGE": "staging"}}, "production": {}},
}
CODE = """\
export default { async fetch(request, env) {
  const rows = await env.DB.prepare("SELECT name FROM people ORDER BY name").all();
  const file = await env.FILES.get("a/b c.txt");
  return Response.json({ stage: env.STAGE, secret: env.SECRET ?? null, cache: await env.CACHE.get("greeting"),
    people: rows.results.map((row) => row.name), file: file && await file.text() });
} };
"""
SETTINGS = """\
name = "shop"
[secrets]
file = ".env.{environment}"
[release]
strategy = "canary"
[environments.staging]
[environments.production]
protected = true
[ephemeral]
from = "staging"
expires = "2d"
[ephemeral.seed]
d1 = { DB = ["seed/people.sql", "seed/more.sql"] }
kv = { CACHE = "seed/cache.json" }
r2 = { FILES = "seed/files" }
"""
PAST = "2020-01-01T00:00:00Z"
NOTHING: dict[str, Any] = {"workers": [], "databases": [], "namespaces": [], "buckets": [], "tags": []}


@pytest.fixture
def shop(tmp_path: Path, target: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose previews copy staging."""
    for name in ("GITHUB_REF", "GITHUB_HEAD_REF", "CI_MERGE_REQUEST_IID", "CI_COMMIT_REF_NAME"):
        monkeypatch.delenv(name, raising=False)
    files = {
        "wrangler.json": json.dumps(CONFIG),
        "index.js": CODE,
        "trailboss.toml": SETTINGS,
        ".env.staging": "SECRET=of-staging\n",
        "seed/people.sql": "CREATE TABLE people (name TEXT);\nINSERT INTO people VALUES ('Ada;'), ('Bo')",
        "seed/more.sql": "INSERT INTO people VALUES ('Cy');\n",
        "seed/cache.json": '[{"key": "greeting", "value": "hello"}]',
        "seed/files/a/b c.txt": "a file",
        ".git/HEAD": "ref: refs/heads/feature/Login_page\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def left(target: Sandbox) -> dict[str, Any]:
    """What the account has, by its names, and what it notes of environments."""
    account = target.account
    tags = target.call("GET", f"{account}/tags?resource_type=account&resource_id={account.split('/')[-1]}")
    return {
        "workers": [one["id"] for one in target.call("GET", f"{account}/workers/scripts")],
        "databases": [one["name"] for one in target.call("GET", f"{account}/d1/database")],
        "namespaces": [one["title"] for one in target.call("GET", f"{account}/storage/kv/namespaces")],
        "buckets": [one["name"] for one in target.call("GET", f"{account}/r2/buckets")["buckets"]],
        "tags": sorted(tags["tags"]),
    }


def seen(target: Sandbox, name: str) -> dict[str, Any]:
    found: dict[str, Any] = target.worker(f"shop-{name}").json()
    return found


def test_made_brought_up_to_date_listed_and_deleted(
    trailboss: Trailboss, target: Sandbox, shop: Path
) -> None:
    before = {file: file.read_bytes() for file in shop.rglob("*") if file.is_file()}
    done = trailboss("preview", "--json")
    assert done.status == 0, done
    made = done.json
    assert set(made) == documented("trailboss deploy") | documented("trailboss preview") | {
        *("target", "account_id", "environment", "ok")
    }
    name = "preview-feature-login-page"
    assert (made["name"], made["source"], made["environment"]) == (name, "staging", name)
    assert [(one["binding"], one["state"], one["count"]) for one in made["seeded"]] == [
        ("DB", "applied", 2),
        ("CACHE", "applied", 1),
        ("FILES", "applied", 1),
    ]
    assert f"shop-{name}" in made["url"]
    answer = {
        "stage": "staging",
        "secret": "of-staging",
        "cache": "hello",
        "people": ["Ada;", "Bo", "Cy"],
        "file": "a file",
    }
    assert seen(target, name) == answer
    assert trailboss("plan", "--env", name, "--exit-code").status == 0
    (shop / "seed" / "more.sql").write_text("INSERT INTO people VALUES ('Di');\n")
    again = trailboss("preview", "--expires", "90s", "--json").json
    assert again["expires"] < made["expires"]
    assert [(one["binding"], one["count"]) for one in again["seeded"]] == [
        ("DB", 1),
        ("CACHE", 0),
        ("FILES", 0),
    ]
    assert again["workers"][0]["outcome"] == "unchanged"
    assert seen(target, name)["people"] == ["Ada;", "Bo", "Cy", "Di"]
    listed = trailboss("preview", "list", "--json").json
    check("trailboss preview list", listed)
    [one] = listed["previews"]
    assert (one["name"], one["expired"], one["workers"][0]["url"]) == (name, False, made["url"])
    assert name in trailboss("preview", "list").out
    gone = trailboss("preview", "delete", "--json")
    assert gone.status == 0, gone
    check("trailboss preview delete", gone.json)
    assert left(target) == NOTHING
    assert "Nothing to do" in trailboss("preview", "delete").out
    (shop / "seed" / "more.sql").write_bytes(before[shop / "seed" / "more.sql"])
    after = {file: file.read_bytes() for file in shop.rglob("*") if file.is_file()}
    assert after == before, "no file is changed, and none is left behind"


POINTS = {
    "before anything": at_call("PUT", "*/tags"),
    "its end is noted": at_call("PUT", "*/tags", after=True),
    "a database is made": at_call("POST", "*/d1/database", after=True),
    "half of the seed": at_call("PUT", "*/bulk"),
    "an object is there": at_call("PUT", "*/objects/*", after=True),
    "a Worker is up": at_call("PUT", "*/workers/scripts/shop-pr-7", after=True),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_on_the_way_it_is_reaped(
    point: str, trailboss: Trailboss, target: Sandbox, shop: Path
) -> None:
    assert killed(POINTS[point], "preview", "pr-7", "--expires", PAST) is None
    done = trailboss("environments", "reap", "--json")
    assert done.status == 0, done
    assert [one["name"] for one in done.json["reaped"]] == ([] if point == "before anything" else ["pr-7"])
    assert left(target) == NOTHING


def test_killed_on_the_way_it_goes_on_and_can_be_deleted(
    trailboss: Trailboss, target: Sandbox, shop: Path
) -> None:
    for point in ("a database is made", "half of the seed", "a Worker is up"):
        assert killed(POINTS[point], "preview", "pr-7") is None
    assert trailboss("preview", "pr-7").status == 0
    assert seen(target, "pr-7")["people"] == ["Ada;", "Bo", "Cy"]
    for number in (1, 2, 1):
        assert killed(at_call("DELETE", "*", after=True, number=number), "preview", "delete", "pr-7") is None
    assert trailboss("preview", "delete", "pr-7").status == 0
    assert left(target) == NOTHING


def test_an_account_without_tags(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    target.control("POST", "seed", {"tagging": "not-enabled"})
    target.call("POST", f"{target.account}/r2/buckets", {"name": "theirs"})
    made = trailboss("preview", "pr-7", "--json")
    assert (made.status, made.json["expires"]) == (0, ""), made
    assert "will not end by itself" in made.err
    assert seen(target, "pr-7")["people"] == ["Ada;", "Bo", "Cy"]
    assert trailboss("preview", "pr-7").status == 0
    assert trailboss("delete", "--env", "staging", "--with-resources", "--json").error["code"] == "TB6202"
    gone = trailboss("preview", "delete", "pr-7", "--json")
    assert gone.status == 0, gone
    assert {one["name"] for one in gone.json["resources"]} == {
        "shop-cache-pr-7",
        "orders-pr-7",
        "shop-files-pr-7",
    }
    target.control("POST", "seed", {"tagging": "enabled"})
    assert left(target) == {**NOTHING, "buckets": ["theirs"]}


def test_what_is_refused(trailboss: Trailboss, target: Sandbox, shop: Path) -> None:
    def code(*words: str) -> str:
        return str(trailboss("preview", *words, "--json").error["code"])

    assert code("pr-1", "--from", "nowhere") == "TB1534"
    assert code("pr-1", "--expires", "soon") == "TB9069"
    assert code("///") == "TB9484"
    seeds = {
        "kv = { CACHE = 'index.js' }": "TB1532",
        "d1 = { NONE = 'x' }": "TB1531",
        "d1 = { DB = 'x' }": "TB1530",
    }
    for said, expected in {**seeds, "d2 = {}": "TB1201"}.items():
        text = SETTINGS.partition("[ephemeral.seed]")[0]
        (shop / "trailboss.toml").write_text(f"{text}[ephemeral.seed]\n{said}\n")
        assert code("pr-1") == expected, said
    (shop / "trailboss.toml").write_text(SETTINGS)
    (shop / "wrangler.json").write_text(json.dumps({**CONFIG, "unsafe": {"metadata": {"a": 1}}}))
    assert code("pr-1") == "TB4091"
    (shop / "trailboss.toml").write_text(SETTINGS.replace('from = "staging"\n', "").replace("staging", "qa"))
    (shop / "wrangler.json").write_text(json.dumps({**CONFIG, "env": {}}))
    assert code("pr-1") == "TB1534"
    (shop / "trailboss.toml").unlink()
    assert code("pr-1") == "TB1534"
    assert left(target) == NOTHING
