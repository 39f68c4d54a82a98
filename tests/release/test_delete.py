from __future__ import annotations

import pytest

from tests.release.conftest import Desk
from trailboss.errors import RefusedError
from trailboss.release.delete import delete_worker


def test_gone_is_what_was_asked_for(desk: Desk) -> None:
    done = desk.run(lambda cloud: delete_worker(cloud, "nobody", force=True))
    assert not done.deleted


def test_a_worker_others_call(desk: Desk) -> None:
    desk.write(name="api")
    desk.deploy()
    desk.write(name="web", services=[{"binding": "API", "service": "api"}])
    desk.deploy()
    with pytest.raises(RefusedError) as caught:
        desk.run(lambda cloud: delete_worker(cloud, "api"))
    assert caught.value.code == "TB4060" and "web" in caught.value.message and desk.writes == []
    with pytest.raises(RefusedError, match="not deleted"):
        desk.run(lambda cloud: delete_worker(cloud, "api", confirm=lambda _: False))
    asked: list[str] = []
    done = desk.run(lambda cloud: delete_worker(cloud, "api", confirm=lambda text: not asked.append(text)))
    assert done.deleted and "web" in asked[0]
    assert desk.run(lambda cloud: delete_worker(cloud, "web", force=True)).deleted
    assert desk.account.worker("web").status_code >= 400


def test_nobody_to_ask(desk: Desk) -> None:
    desk.write()
    desk.deploy()
    with pytest.raises(RefusedError) as caught:
        desk.run(lambda cloud: delete_worker(cloud, "hello"))
    assert caught.value.code == "TB4061"


def test_a_consumer_lets_go_of_its_queue_first(desk: Desk) -> None:
    account, queues = desk.account, f"{desk.account.account}/queues"
    account.call("POST", queues, json={"queue_name": "jobs"})
    desk.write(queues={"consumers": [{"queue": "jobs"}]})
    desk.deploy()
    path = f"{account.account}/workers/services/hello?force=true"
    assert account.call("DELETE", path, expect=400)["code"] == 10064
    asked: list[str] = []
    done = desk.run(lambda cloud: delete_worker(cloud, "hello", confirm=lambda text: not asked.append(text)))
    assert done.deleted and done.usage.queues == ("jobs",) and "essages in jobs are" in asked[0]
    assert account.call("GET", queues)[0]["consumers"] == []
