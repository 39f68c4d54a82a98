"""What commands make for good is in the project's files and ours; what is transient or foreign is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import call
from tests.develop.test_tunnels import HOST, LAST, configured, record, records
from trailboss.config import Project
from trailboss.develop import routing
from trailboss.develop.exposed import Exposure
from trailboss.develop.files import Files
from trailboss.develop.reach import Wanted, prepare
from trailboss.develop.tunnels import Rule, create_tunnel, ensure_tunnel, list_tunnels, put_rule
from trailboss.errors import RefusedError
from trailboss.plan.plan import make
from trailboss.plan.wanted import wanted

START = 'name = "shop"\n\n[environments.staging]\n'


class Shop:
    """A project with one environment, and the account that it is for."""

    def __init__(self, folder: Path, account: Sandbox) -> None:
        self.file = folder / "trailboss.toml"
        self.file.write_text(START)
        self.account = account
        self.told: list[str] = []
        self.files = Files(self.load, "test", lambda file: self.told.append(file.name))

    def load(self) -> Project:
        return Project.load(self.file.parent, environment="staging", environ={})

    def do(self, verb: Any) -> Any:
        return call(self.account, verb)

    def pending(self) -> list[str]:
        """What a plan would do."""
        plan = self.do(lambda cloud: make(cloud, wanted(self.load())))
        return [f"{one.action} {one.address}" for one in plan.pending]


@pytest.fixture
def shop(tmp_path: Path, account: Sandbox) -> Shop:
    return Shop(tmp_path, account)


def test_a_tunnels_life_in_the_files(shop: Shop) -> None:
    tunnel, made = shop.do(lambda cloud: ensure_tunnel(cloud, "edge", shop.files))
    assert made
    for service in ("http://localhost:1", "http://localhost:2"):
        done = shop.do(lambda cloud, to=service: routing.route(cloud, "edge", HOST, to, files=shop.files))
        assert done.changed
    shop.do(lambda cloud: routing.route(cloud, "edge", f"b.{HOST}", "ssh://localhost:22", files=shop.files))
    assert shop.pending() == []
    resources = shop.load().settings.resources
    assert [
        (one["hostname"], one["service"]) for one in resources["tunnel_configuration"]["edge"]["ingress"]
    ] == [
        (f"b.{HOST}", "ssh://localhost:22"),
        (HOST, "http://localhost:2"),
    ]
    assert resources["dns_record"][HOST] == {"zone": "example.com", "tunnel": "edge"}
    assert records(shop.account) == [("CNAME", tunnel.address, True)]
    before, told = shop.file.read_text(), len(shop.told)
    assert not shop.do(
        lambda cloud: routing.route(cloud, "edge", HOST, "http://localhost:2", files=shop.files)
    ).changed
    assert (shop.file.read_text(), len(shop.told)) == (before, told)
    shop.do(lambda cloud: routing.unroute(cloud, "edge", HOST, shop.files))
    assert HOST not in shop.load().settings.resources["dns_record"]
    assert shop.pending() == []
    shop.do(lambda cloud: routing.delete(cloud, tunnel, shop.files))
    assert shop.file.read_text().split() == START.split()
    assert records(shop.account, f"b.{HOST}") == []
    assert shop.pending() == []


def test_the_rule_of_a_running_dev_is_in_no_file_and_no_plan(shop: Shop) -> None:
    async def serve(cloud: Any) -> list[str]:
        found = await Exposure.prepare(cloud, "edge", HOST, lambda _: None, shop.files)
        before = shop.file.read_text()
        running = asyncio.create_task(found.run(shop.account.connection.edge_url, lambda _: None))
        while not (await routing.show(cloud, "edge")).rules:
            await asyncio.sleep(0.02)
        plans = [await make(cloud, wanted(shop.load()))]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        plans.append(await make(cloud, wanted(shop.load())))
        assert shop.file.read_text() == before
        return [one.address for plan in plans for one in plan.pending]

    assert shop.do(serve) == []
    assert "http://" not in shop.file.read_text()
    [tunnel] = shop.do(list_tunnels)
    assert configured(shop.account, tunnel.id)["config"]["ingress"] == [LAST]


def test_a_rule_of_a_running_dev_survives_one_for_good(shop: Shop) -> None:
    tunnel, _ = shop.do(lambda cloud: ensure_tunnel(cloud, "edge", shop.files))
    shop.do(lambda cloud: put_rule(cloud, tunnel, Rule(f"dev.{HOST}", "http://localhost:8787")))
    shop.do(lambda cloud: routing.route(cloud, "edge", HOST, "http://localhost:1", files=shop.files))
    assert f"dev.{HOST}" not in shop.file.read_text()
    hosts = [one.get("hostname") for one in configured(shop.account, tunnel.id)["config"]["ingress"]]
    assert hosts == [HOST, f"dev.{HOST}", None]


def test_a_tunnel_of_others_stays_out_of_the_files(shop: Shop) -> None:
    foreign = shop.do(lambda cloud: create_tunnel(cloud, "theirs"))
    assert shop.do(lambda cloud: ensure_tunnel(cloud, "theirs", shop.files)) == (foreign, False)
    shop.do(lambda cloud: routing.route(cloud, "theirs", HOST, "http://localhost:1", files=shop.files))
    assert shop.file.read_text() == START
    assert shop.pending() == []
    shop.do(lambda cloud: routing.delete(cloud, foreign, shop.files))


def test_what_is_refused_leaves_the_files_as_they_were(shop: Shop) -> None:
    tunnel, _ = shop.do(lambda cloud: ensure_tunnel(cloud, "edge", shop.files))
    shop.do(lambda cloud: put_rule(cloud, tunnel, Rule(HOST, "http://10.0.0.9")))
    before, told = shop.file.read_text(), len(shop.told)
    with pytest.raises(RefusedError) as caught:
        shop.do(lambda cloud: routing.route(cloud, "edge", HOST, "http://localhost:1", files=shop.files))
    assert caught.value.code == "TB9472"
    record(shop.account, type="A", content="203.0.113.7")
    with pytest.raises(RefusedError) as caught:
        shop.do(lambda cloud: routing.route(cloud, "edge", HOST, None, files=shop.files))
    assert caught.value.code == "TB9475"
    assert (shop.file.read_text(), len(shop.told)) == (before, told)
    shop.do(lambda cloud: routing.route(cloud, "edge", HOST, None, files=shop.files, force=True))
    assert records(shop.account) == [("CNAME", tunnel.address, True)]
    assert shop.pending() == []


def test_what_every_environment_has_is_not_taken_out_for_one(shop: Shop) -> None:
    shop.file.write_text(f'{START}[resources.cloudflared_tunnel.edge]\nconfig_src = "cloudflare"\n')
    tunnel, made = shop.do(lambda cloud: ensure_tunnel(cloud, "edge", shop.files))
    assert (tunnel.name, made, shop.told) == ("edge-staging", True, [])
    with pytest.raises(RefusedError) as caught:
        shop.do(lambda cloud: routing.delete(cloud, tunnel, shop.files))
    assert caught.value.code == "TB9487"
    assert [one.name for one in shop.do(list_tunnels)] == ["edge-staging"]


def test_a_tunnel_of_another_environment_is_not_deleted_from_here(shop: Shop) -> None:
    tunnel, _ = shop.do(lambda cloud: ensure_tunnel(cloud, "edge", shop.files))
    shop.file.write_text(f"{shop.file.read_text()}\n[environments.production]\n")
    for environment in ("", "production"):
        files = Files(lambda: Project.load(shop.file.parent, environment=environment, environ={}), "test")  # noqa: B023
        with pytest.raises(RefusedError, match="environment staging") as caught:
            shop.do(lambda cloud, files=files: routing.delete(cloud, tunnel, files))
        assert caught.value.code == "TB9488"
    shop.do(lambda cloud: routing.delete(cloud, tunnel, shop.files))


def test_outside_every_environment_the_files_are_left_alone(shop: Shop) -> None:
    files = Files(lambda: Project.load(shop.file.parent, environment="", environ={}), "test")
    shop.do(lambda cloud: ensure_tunnel(cloud, "edge", files))
    shop.do(lambda cloud: routing.route(cloud, "edge", HOST, "http://localhost:1", files=files))
    assert shop.file.read_text() == START
    shop.file.write_text('name = "shop"\n')
    shop.do(lambda cloud: ensure_tunnel(cloud, "other", Files(files._load, "test")))
    assert shop.file.read_text().endswith('[resources.cloudflared_tunnel.other]\nconfig_src = "cloudflare"\n')


def test_ssh_makes_all_of_it_once(shop: Shop) -> None:
    want = Wanted("ssh", HOST, None, "ssh://localhost:22", ("ann@example.com",), files=shop.files)
    shop.do(lambda cloud: prepare(cloud, want, {}))
    assert set(shop.load().settings.resources) == {"cloudflared_tunnel", "tunnel_configuration", "dns_record"}
    assert shop.pending() == []
    before = shop.file.read_text()
    calls = shop.do(lambda cloud: _calls(cloud, want))
    assert (shop.file.read_text(), calls <= 7) == (before, True)


async def _calls(cloud: Any, want: Wanted) -> int:
    before = cloud.stats.total
    await prepare(cloud, want, {})
    return int(cloud.stats.total - before)
