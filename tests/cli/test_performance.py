"""`test performance` against a Worker in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Live, Trailboss
from tests.cli.test_json_output import check
from tests.conftest import Sandbox

QUICK = ("--rate", "20", "--round", "0.3s", "--rounds", "5")


def test_a_baseline_then_the_same_then_a_regression(trailboss: Trailboss, deployed: Live) -> None:
    done = trailboss("test", "performance", *QUICK)
    assert done.status == 0 and "The baseline is" in done.out, done
    file = deployed.folder / "performance" / "default.json"
    assert len(json.loads(file.read_text())["rounds"]) == 5
    settings = deployed.folder / "trailboss.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\n[performance]\nmargin = 50\nalpha = 0.05\n")
    same = trailboss("test", "performance", *QUICK, "--json")
    check("trailboss test performance", same.json)
    assert (same.status, same.json["outcome"]) == (0, "same")
    data = json.loads(file.read_text())
    data["rounds"] = [{**one, "p50": 1e-6, "p95": 1e-6} for one in data["rounds"]]
    file.write_text(json.dumps(data))
    worse = trailboss("test", "performance", *QUICK)
    settings.write_text(before)
    assert worse.status == 1 and "Regression, in two measurements: p50, p95" in worse.out, worse


LOCUST = """
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def home(self):
        self.client.get("/")
        self.client.get("/nowhere")
"""


def test_a_locustfile_of_the_projects_own(trailboss: Trailboss, deployed: Live) -> None:
    (deployed.folder / "load.py").write_text(LOCUST)
    settings = deployed.folder / "trailboss.toml"
    before = settings.read_text()
    more = 'locustfile = "load.py"\nusers = 2\nround = 1\nrounds = 5\nbaseline = "locust.json"\n'
    settings.write_text(f"{before}\n[performance]\n{more}")
    done = trailboss("test", "performance", "--json")
    settings.write_text(before)
    assert done.status == 0, done
    found = done.json["rounds"]
    assert all(one["requests"] > 4 and 0.3 < one["failed"] < 0.7 for one in found), "one of two is a 404"


def test_a_locustfile_that_is_not_there(trailboss: Trailboss, deployed: Live) -> None:
    settings = deployed.folder / "trailboss.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\n[performance]\nlocustfile = 'missing.py'\n")
    done = trailboss("test", "performance", "--json")
    settings.write_text(before)
    assert (done.status, done.error["code"]) == (2, "TB9492")


def test_a_worker_that_is_not_there(trailboss: Trailboss, target: Sandbox, hello: Path) -> None:
    done = trailboss("test", "performance", "--json")
    assert (done.status, done.error["code"]) == (1, "TB4701")
