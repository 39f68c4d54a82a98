"""`ci init` and `ci comment`, and what a pipeline shows of other commands."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Trailboss, example
from tests.cli.test_json_output import check
from tests.conftest import Sandbox
from trailboss.cli.output import Output
from trailboss.cli.pipelines import LONGEST, annotation, ended, fitting, summary
from trailboss.errors import ConfigError
from trailboss.values import Location

ENVIRONMENTS = "\n[environments.staging]\n[environments.production]\n"


@pytest.fixture
def shop(hello: Path) -> Path:
    """examples/hello with two environments, in a repository of its own."""
    (hello / ".git").mkdir()
    with (hello / "trailboss.toml").open("a") as file:
        file.write(ENVIRONMENTS)
    return hello


def test_init_says_what_has_to_be_done_by_hand(trailboss: Trailboss, shop: Path) -> None:
    done = trailboss("ci", "init", "github")
    assert done.status == 0, done
    assert (shop / ".github" / "workflows" / "trailboss.yml").is_file()
    assert "main: staging → production" in done.out
    assert "CLOUDFLARE_API_TOKEN" in done.out and "required reviewers" in done.out
    again = trailboss("ci", "init", "github", "--json")
    check("trailboss ci init", again.json, set())
    assert again.json["state"] == "unchanged"


def test_a_changed_file_is_refused_and_force_takes_it(trailboss: Trailboss, shop: Path) -> None:
    trailboss("ci", "init", "gitlab")
    file = shop / ".gitlab-ci.yml"
    file.write_text(f"{file.read_text()}# mine\n")
    done = trailboss("ci", "init", "gitlab")
    assert (done.status, "TB1510" in done.err, "-# mine" in done.err) == (6, True, True)
    assert trailboss("ci", "init", "gitlab", "--force").status == 0
    assert "# mine" not in file.read_text()


def test_without_a_project_it_says_so(trailboss: Trailboss) -> None:
    done = trailboss("ci", "init", "github", "--json")
    assert (done.status, done.error["code"]) == (2, "TB1001")


def test_a_comment_has_every_environment(
    trailboss: Trailboss, target: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = example("agency", tmp_path, monkeypatch)
    previews = tmp_path / "previews"
    previews.mkdir()
    (previews / "preview-agency.json").write_text(json.dumps({"alias_url": "https://pr-7.example"}))
    (previews / "preview-other.json").write_text(json.dumps({"error": {"message": "there is | none"}}))
    (previews / "preview-broken.json").write_text("")
    done = trailboss("ci", "comment", "staging", "production", "--previews", str(previews))
    assert done.status == 0, done
    lines = done.out.splitlines()
    assert lines[0] == "<!-- trailboss agency -->"
    assert "**agency** https://pr-7.example" in lines
    assert r"**other** no preview: there is \| none" in lines
    assert {"### Plan for staging", "### Plan for production"} <= set(lines)
    assert any(re.match(r"\| `\+` \| d1\\_database `agency-ai-sessions-staging`", line) for line in lines)
    monkeypatch.setenv("TRAILBOSS_ENV", "staging")
    document = trailboss("ci", "comment", "staging", "--json").json
    check("trailboss ci comment", document, set())
    assert document["markdown"].startswith("<!-- trailboss agency -->\n")
    assert folder.is_dir()


def test_an_environment_that_cannot_be_planned_says_why(
    trailboss: Trailboss, target: Sandbox, shop: Path
) -> None:
    done = trailboss("ci", "comment", "staging", "stagin")
    assert done.status == 2
    assert "### Plan for staging" in done.out
    assert "### Plan for stagin\n\n**TB1102**" in done.out


def test_errors_become_annotations(trailboss: Trailboss, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (shop / "trailboss.toml").open("a") as file:
        file.write("protectd = true\n")
    assert "::error" not in trailboss("ci", "init", "github").err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(shop.parent))
    said = trailboss("ci", "init", "github").err.splitlines()
    [line] = [line for line in said if line.startswith("::error ")]
    number = (shop / "trailboss.toml").read_text().splitlines().index("protectd = true") + 1
    assert line.startswith(f"::error file=hello/trailboss.toml,line={number},col=1,title=TB1201::")
    assert "protected" in line


def test_nothing_in_an_error_is_read_as_a_command() -> None:
    error = ConfigError("TB1", "a\n::warning::b, 100%", hint="c", where=Location(Path("/x,y:z"), 3))
    assert annotation(error) == "::error file=/x%2Cy%3Az,line=3,title=TB1::a%0A::warning::b, 100%25%0Ac"


def test_the_job_has_a_summary_of_plans_and_deploys(
    trailboss: Trailboss, target: Sandbox, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    trailboss("plan", "--env", "staging")
    trailboss("plan", "--all-environments", "--json")
    done = trailboss("deploy", "--env", "staging")
    trailboss("versions", "list", "--env", "staging")
    assert done.status == 0, done
    text = file.read_text()
    assert re.findall(r"^### .*", text, re.MULTILINE) == [
        "### Plan for staging",
        "### Plan for staging",
        "### Plan for production",
        "### Deploy of staging",
    ]
    row = text.splitlines()[-2]
    assert re.match(r"\| `hello-staging` \| deployed \| v1 \| `sha256:\w{12}` \| http", row), row


def test_a_rollout_is_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    worker = {"worker": "a", "outcome": "rolled-back", "why": "", "version_id": "0123456789", "digest": None}
    worker |= {"version_number": None, "urls": (), "warnings": ("mind | it",)}
    rollout = {"result": "rolled-back", "why": "errors failed", "moves": ("1 %", "0 %"), "hint": "look"}
    document = {"dry_run": False, "environment": "production", "workers": [worker], "rollout": rollout}
    said = StringIO()
    ended(Output(err=said), document)
    assert said.getvalue() == "::error title=production%3A rolled-back::errors failed%0Alook\n"
    text = summary(document)
    assert "| `a` | rolled-back | 01234567 |  |  |" in text
    assert "**rolled-back**: errors failed" in text and "Shares: 1 % → 0 %" in text
    assert r"- mind \| it" in text


def test_a_comment_fits() -> None:
    text = fitting(["head", "line\n" * LONGEST])
    assert len(text) < LONGEST + 100 and text.endswith("The rest is in the log of the job.")
