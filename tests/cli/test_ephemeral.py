"""Environments that end by themselves: deployed, tested, killed on the way, deleted, reaped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss
from tests.cli.killing import at_call, die, killed
from tests.cli.test_json_output import check
from tests.cli.test_preview import CONFIG, NOTHING, left, seen, shop  # noqa: F401 - a fixture
from tests.conftest import Sandbox

EPHEMERAL = """
[environments.perf.ephemeral]
expires = "1h"
[performance]
paths = ["/"]
round = 0.3
rounds = 5
"""


@pytest.fixture
def perf(shop: Path) -> Path:  # noqa: F811
    """The project with an environment for performance tests."""
    with (shop / "trailboss.toml").open("a") as settings:
        settings.write(EPHEMERAL)
    (shop / "wrangler.json").write_text(json.dumps({**CONFIG, "routes": [], "workers_dev": True}))
    return shop


def made(trailboss: Trailboss, name: str) -> None:
    """An environment with resources and a Worker, quickly."""
    assert trailboss("apply", "--env", name).status == 0
    assert trailboss("secret", "put", "A", "--env", name, stdin="x").status == 0


def in_the_load() -> None:
    """The process dies in the second round."""
    from trailboss.develop.performance import load

    usual, rounds = load._round, 0

    async def one(*arguments: object) -> object:
        nonlocal rounds
        rounds += 1
        if rounds == 3:  # the first is to warm up
            die()
        return await usual(*arguments)  # type: ignore[arg-type]

    load._round = one  # type: ignore[assignment]


def test_a_performance_test_that_was_killed(trailboss: Trailboss, target: Sandbox, perf: Path) -> None:
    assert trailboss("deploy", "--env", "perf").status == 0
    assert seen(target, "perf")["people"] == ["Ada;", "Bo", "Cy"], "a deploy seeds it"
    assert killed(in_the_load, "test", "performance", "--env", "perf") is None
    dry = trailboss("delete", "--env", "perf", "--dry-run", "--json").json
    check("trailboss delete: a whole environment", dry)
    assert (dry["deleted"], dry["workers"]) == (False, ["shop-perf"])
    text = (perf / "trailboss.toml").read_text()
    done = trailboss("delete", "--env", "perf", "--json")
    assert done.status == 0, done
    check("trailboss delete: a whole environment", done.json)
    assert done.json["workers"] == ["shop-perf"]
    assert left(target) == NOTHING
    assert (perf / "trailboss.toml").read_text() == text
    assert "Nothing to do" in trailboss("delete", "--env", "perf").out


def test_a_deploy_that_was_killed_is_reaped_and_its_lines_stay(
    trailboss: Trailboss, target: Sandbox, perf: Path
) -> None:
    text = (perf / "trailboss.toml").read_text()
    (perf / "trailboss.toml").write_text(text.replace('expires = "1h"', 'expires = "0m"'))
    point = at_call("PUT", "*/workers/scripts/shop-perf", after=True)
    assert killed(point, "deploy", "--env", "perf") is None
    assert "shop-perf" in left(target)["workers"]
    assert killed(at_call("DELETE", "*", after=True), "environments", "reap") is None
    done = trailboss("environments", "reap", "--json")
    assert done.status == 0, done
    assert [one["name"] for one in done.json["reaped"]] == ["perf"]
    assert left(target) == NOTHING
    assert "[environments.perf.ephemeral]" in (perf / "trailboss.toml").read_text()


def test_what_no_file_knows_is_shown_and_taken_when_asked(
    trailboss: Trailboss, target: Sandbox, perf: Path
) -> None:
    assert trailboss("environments", "create", "qa").status == 0
    made(trailboss, "qa")
    assert trailboss("environments", "delete", "qa", "--keep-resources").status == 0
    found = trailboss("environments", "reap", "--json").json
    assert [(one["name"], one["expires"]) for one in found["due"]] == [("qa", None)]
    assert found["reaped"] == []
    assert "qa is left over; no file knows it" in trailboss("environments", "reap", "--dry-run").out
    assert trailboss("environments", "reap", "--unknown").status == 0
    assert left(target) == NOTHING


def test_other_environments_lose_their_worker_only(trailboss: Trailboss, target: Sandbox, perf: Path) -> None:
    made(trailboss, "staging")
    assert "--env staging --with-resources" in trailboss("delete", "--env", "staging").err
    there = left(target)
    assert (there["workers"], there["databases"]) == ([], ["orders-staging"])
    whole = ("delete", "--env", "staging", "--with-resources", "--json")
    assert trailboss(*whole).error["code"] == "TB6201"
    assert trailboss(*whole, "--force").status == 0
    assert left(target) == NOTHING
    for words, code in (
        (("delete", "--with-resources"), "TB9075"),
        (("delete", "shop", "--env", "perf", "--with-resources"), "TB9074"),
        (("delete", "--env", "production", "--with-resources"), "TB9043"),
    ):
        assert trailboss(*words, "--json").error["code"] == code


def test_seed(trailboss: Trailboss, target: Sandbox, perf: Path) -> None:
    assert trailboss("seed", "--env", "perf", "--json").error["code"] == "TB2330"
    assert trailboss("deploy", "--env", "perf").status == 0
    (perf / "seed" / "cache.json").write_text('[{"key": "greeting", "value": "hi"}]')
    done = trailboss("seed", "--env", "perf", "--json")
    check("trailboss seed", done.json)
    assert [(one["binding"], one["count"]) for one in done.json["seeded"]] == [
        ("DB", 0),
        ("CACHE", 1),
        ("FILES", 0),
    ]
    assert seen(target, "perf")["cache"] == "hi"
    assert trailboss("seed", "--env", "staging", "--json").error["code"] == "TB1533"
    with (perf / "trailboss.toml").open("a") as settings:
        settings.write("[environments.production.seed]\nkv = { CACHE = 'seed/cache.json' }\n")
    assert trailboss("seed", "--env", "production", "--json").error["code"] == "TB9073"


def test_end_to_end_tests(trailboss: Trailboss, target: Sandbox, perf: Path) -> None:
    assert trailboss("deploy", "--env", "perf").status == 0
    script = 'test "$BASE_URL" = "$TRAILBOSS_URL" && echo "at $BASE_URL"; exit 3'
    done = trailboss("test", "e2e", "--env", "perf", "--log", "log.txt", "--json", "--", "sh", "-c", script)
    check("trailboss test e2e", done.json)
    assert (done.status, done.json["status"], done.json["ok"]) == (3, 3, False)
    [line] = done.json["log"]
    assert line.startswith("at http://shop-perf.")
    assert (perf / "log.txt").read_text() == f"{line}\n"
    assert trailboss("test", "e2e", "--env", "perf", "--json").error["code"] == "TB9466"
    with (perf / "trailboss.toml").open("a") as settings:
        settings.write("[test]\ncommand = ['true']\nready_timeout = 0.1\n")
    assert "the tests passed" in trailboss("test", "e2e", "--env", "perf").out
    assert trailboss("test", "e2e", "--env", "staging", "--json").error["code"] == "TB4701"
    assert trailboss("test", "e2e", "--url", "http://127.0.0.1:9", "--json").error["code"] == "TB4702"
