"""The example application, deployed by the command line into the sandbox and used from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done, Trailboss, example
from tests.conftest import Sandbox
from trailboss.config import Project

TEXT = "The agency charges by the project. A website costs ten thousand euros. Support is a hundred an hour."
ENVIRONMENTS = (
    "development",
    "staging",
    "production",
    "testing",
    "performance-testing",
    "disaster-recovery",
)


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project; it is the working folder."""
    return example("agency", tmp_path, monkeypatch)


def deployed(trailboss: Trailboss, *words: str) -> Done:
    done = trailboss("deploy", "--json", *words)
    assert done.status == 0, done
    return done


def until(read: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 20) -> Any:
    """Ask until the answer is the one that was waited for."""
    end = time.monotonic() + seconds
    while not wanted(found := read()):
        assert time.monotonic() < end, found
    return found


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


class Application:
    """The Worker, as a browser sees it."""

    def __init__(self, target: Sandbox, name: str = "agency") -> None:
        self.target, self.name = target, name

    def get(self, path: str, **more: Any) -> Any:
        return self.target.worker(self.name, path, **more)

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        content = body if isinstance(body, str) else json.dumps(body)
        answer = self.target.worker(self.name, path, method="POST", content=content)
        assert answer.status_code == status, answer.text
        return answer

    def ask(self, question: str, session: str | None = None) -> dict[str, Any]:
        """One exchange: {"session", "sources", "answer", "done"}."""
        answer = self.post("/chat", {"message": question, **({"session": session} if session else {})}, 200)
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = events(answer.text)
        found: dict[str, Any] = dict(seen)
        found["answer"] = "".join(data["text"] for name, data in seen if name == "token")
        return found


def test_the_application(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    report = deployed(trailboss).json["workers"][0]
    assert {trigger["kind"] for trigger in report["triggers"]} >= {"schedules", "queue consumer"}
    app = Application(target)

    health = app.get("/health").json()
    assert health["ok"] is True
    assert health["version"]["id"] == report["version_id"]
    assert "Agency assistant" in app.get("/").text

    assert app.post("/documents", {"id": "pricing", "title": "Pricing", "text": TEXT}).json()["chunks"] == 1
    first = until(lambda: app.ask("What does a website cost?"), lambda seen: seen["sources"])
    assert [source["document"] for source in first["sources"]] == ["pricing"]
    assert (first["done"]["cached"], bool(first["answer"])) == (False, True)
    second = app.ask("what does a  website cost?")
    assert (second["done"]["cached"], second["answer"]) == (True, first["answer"])

    session = first["session"]["session"]
    app.ask("And support?", session)
    spoken = app.get(f"/sessions/{session}").json()["messages"]
    assert [message["role"] for message in spoken] == ["user", "assistant"] * 2
    assert spoken[2]["content"] == "And support?"

    made = app.post("/content", {"prompt": "Write a haiku", "title": "haiku"}).json()
    content = app.get(made["url"])
    assert len(content.text) == made["length"] > 0
    assert app.get(made["url"], headers={"if-none-match": content.headers["etag"]}).status_code == 304
    part = app.get(made["url"], headers={"range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, content.text[:4])


def test_bad_input_is_answered_kindly(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    deployed(trailboss)
    app = Application(target)
    assert app.post("/chat", "not json", 400).json() == {"error": "the body is not JSON"}
    assert app.post("/chat", [1], 400).json() == {"error": "the body must be a JSON object"}
    assert app.post("/chat", {"message": " "}, 400).json()["error"].startswith('"message" must be')
    assert app.post("/chat", {"message": "x" * 5000}, 400).json()["error"].endswith("than 4000 characters")
    assert (
        app.post("/chat", {"message": "hi", "session": "nope"}, 404).json()["error"]
        == "there is no such session"
    )
    assert app.post("/documents", {"title": "t", "text": "t", "id": "../x"}, 400)
    assert app.post("/jobs", {"kind": "dance", "input": "x"}, 400)
    assert app.post("/nowhere", {}, 404).json()["error"] == "nothing answers POST /nowhere"
    assert app.get("/content/nothing").status_code == 404
    assert app.get("/jobs/nothing").status_code == 404


def test_background_jobs(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    deployed(trailboss)
    app = Application(target)
    waiting = app.post("/jobs", {"kind": "summary", "input": TEXT}, 202).json()
    done = until(lambda: app.get(waiting["url"]).json(), lambda job: job["state"] == "done")
    assert done["kind"] == "summary"
    assert app.get(done["content"]).headers["content-type"].startswith("text/markdown")


def test_the_hourly_job_forgets_old_sessions(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    deployed(trailboss)
    [found] = target.call("GET", f"{target.account}/d1/database?name=agency-ai-sessions")
    now = int(time.time() * 1000)
    rows = f"INSERT INTO sessions (id, created_at, seen_at) VALUES ('old', 0, 0), ('new', {now}, {now})"
    target.call("POST", f"{target.account}/d1/database/{found['uuid']}/query", {"sql": rows})
    app = Application(target)
    assert app.get("/health").json()["sessions"] == 2
    target.control("PUT", "clock", {"advance": 3600})
    until(lambda: app.get("/health").json()["sessions"], lambda count: count == 1)


def test_every_environment_has_its_own(trailboss: Trailboss, target: Sandbox, agency: Path) -> None:
    for environment in ENVIRONMENTS:
        [worker] = Project.load(environment=environment).workers
        assert worker.name == f"agency-{environment}"
        assert worker.raw["d1_databases"][0]["database_name"] == f"agency-ai-sessions-{environment}"
        assert worker.raw["vectorize"][0]["index_name"] == f"agency-knowledge-base-{environment}"
        assert worker.raw["r2_buckets"][0]["bucket_name"] == f"agency-generated-content-{environment}"
        assert worker.raw["queues"]["producers"][0]["queue"] == f"agency-ai-jobs-{environment}"
    report = deployed(trailboss, "--env", "staging").json
    assert (report["environment"], report["workers"][0]["worker"]) == ("staging", "agency-staging")
    [namespace] = target.call("GET", f"{target.account}/storage/kv/namespaces")
    assert "staging" in namespace["title"]
