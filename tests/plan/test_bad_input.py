"""What is wrong in the files is refused before the first call, with its place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plan.inprocess import Account, DirectCloud
from tests.plan.virtual import run
from trailboss.config import Project
from trailboss.errors import TrailbossError
from trailboss.plan.plan import make
from trailboss.plan.wanted import wanted

HEAD = 'name = "shop"\n[zones]\nmain-zone = "example.com"\nother = "example.org"\n[environments.qa]\n'
RULE = 'phase = "http_request_firewall_custom"\nzone = "main-zone"\naction = "block"\n'
CASES = {
    "a zone that is misspelt": (
        '[resources.dns_record."a.example.com"]\nzone = "main-zon"\ntype = "A"\ncontent = "192.0.2.1"',
        "TB1237",
        'Did you mean "main-zone"?',
    ),
    "a zone that is not said": (
        '[resources.dns_record."a.example.com"]\ntype = "A"\ncontent = "192.0.2.1"',
        "TB1233",
        "zone",
    ),
    "an expression that does not parse": (
        f"[resources.ruleset_rule.x]\n{RULE}expression = '(http.host eq \"a\"'",
        "TB1230",
        "column",
    ),
    "a name over the limit": (f"[resources.queue.{'a' * 80}]", "TB1230", "1 to 63"),
    "two keys for one name": (
        '[resources.queue.a]\nname = "same"\n[resources.queue.b]\nname = "same"',
        "TB6103",
        "another name",
    ),
    "a circle": (
        f"[resources.ruleset_rule.x]\n{RULE}expression = 'true'\nafter = \"y\"\n"
        f"[resources.ruleset_rule.y]\n{RULE}expression = 'true'\nafter = \"x\"",
        "TB6106",
        "ruleset_rule.",
    ),
    "a reference that is misspelt": (
        '[resources.vectorize_index.docs]\ndimensions = 8\nmetric = "cosine"\n'
        '[resources.vectorize_metadata_index.url]\nindex = "dosc"\nproperty_name = "url"\ntype = "string"',
        "TB6104",
        'Did you mean "docs"?',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    text, code, words = CASES[name]
    (tmp_path / "trailboss.toml").write_text(f"{HEAD}{text}\n")
    account = Account(tmp_path)
    cloud = DirectCloud(account)

    async def go() -> None:
        await account.zone("example.com")
        await make(cloud, wanted(Project.load(tmp_path, environment="qa", environ={})))

    with pytest.raises(TrailbossError) as caught:
        run(go)
    error = caught.value
    assert (error.code, words in f"{error.message} {error.hint}") == (code, True), error
    assert error.where is not None and error.where.file.name == "trailboss.toml"
    assert all(method == "GET" for method, _ in cloud.stats.requests)


def test_a_target_that_is_misspelt(tmp_path: Path) -> None:
    (tmp_path / "trailboss.toml").write_text(f"{HEAD}[resources.queue.jobs]\n")
    want = wanted(Project.load(tmp_path, environment="qa", environ={}))
    with pytest.raises(TrailbossError, match="no resource") as caught:
        run(lambda: make(DirectCloud(Account(tmp_path)), want, targets=("queue.job",)))
    assert caught.value.hint == 'Did you mean "queue.jobs"?'
