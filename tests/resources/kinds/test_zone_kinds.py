"""Certificates, zone settings, tiered cache and smart routing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.cloud.loopback import Answer, Loopback, Request, no, ok
from tests.conftest import Sandbox
from tests.resources.cases import argo_smart_routing as argos
from tests.resources.cases import certificate_pack as packs
from tests.resources.cases import tiered_cache as caches
from tests.resources.cases import zone_setting as settings
from tests.resources.kinds.lives import ZONE, listed, ours, run, theirs
from tests.resources.kinds.test_load_balancing import read
from trailboss.cloud import Cloud
from trailboss.errors import PlanError
from trailboss.resources.argo_smart_routing import KIND as ARGO
from trailboss.resources.certificate_pack import KIND as PACK
from trailboss.resources.certificate_pack import CertificatePack, settled
from trailboss.resources.marks import identity_of
from trailboss.resources.tiered_cache import KIND as TIERED
from trailboss.resources.tiered_cache import TieredCache
from trailboss.resources.zone_setting import KIND as SETTING
from trailboss.resources.zone_setting import LISTED, ZoneSetting

HOSTS = ("example.com", "www.example.com")


def test_a_certificate_is_waited_for(account: Sandbox) -> None:
    async def life(cloud: Cloud) -> None:
        assert await listed(PACK, cloud, packs.BARE) == []  # the universal one is not ours to order
        made = await PACK.create(cloud, packs.BARE)
        (change,) = PACK.differs(packs.BARE, made)
        assert (change.field, change.found) == ("status", "initializing")
        done = await PACK.update(cloud, packs.BARE, made)
        assert PACK.differs(packs.BARE, done) == ()
        changed = await PACK.update(cloud, packs.FULL, done)
        assert (changed.status, changed.cloudflare_branding) == ("active", True)
        assert await listed(PACK, cloud, packs.BARE) == [changed]
        requests = cloud.stats.total
        assert await PACK.update(cloud, packs.FULL, changed) == changed
        assert cloud.stats.total == requests
        await PACK.delete(cloud, changed)
        await PACK.delete(cloud, changed)
        assert await listed(PACK, cloud, packs.BARE) == []

    run(account, life)


def test_a_certificate_that_got_stuck(account: Sandbox) -> None:
    account.control("POST", "seed", {"certificates": {"stuck_at": "pending_validation"}})
    spec = CertificatePack("example.com", HOSTS)

    async def life(cloud: Cloud) -> None:
        made = await PACK.create(cloud, spec)
        with pytest.raises(PlanError) as caught:
            await PACK.update(cloud, spec, made)
        assert caught.value.code == "TB6161"
        assert "_acme-challenge.www.example.com" in str(caught.value.hint)
        (stuck,) = await listed(PACK, cloud, spec)
        assert stuck.is_stuck
        assert (await PACK.update(cloud, spec, stuck)).status == "active"

    run(account, life)


def test_a_certificate_that_takes_too_long(account: Sandbox) -> None:
    account.control("POST", "seed", {"certificates": {"pace": 3600}})

    async def life(cloud: Cloud) -> None:
        made = await PACK.create(cloud, packs.BARE)
        states = []
        with pytest.raises(PlanError) as caught:
            async for pack in settled(cloud, made, patience=0):
                states.append(pack.status)
        assert (caught.value.code, states) == ("TB6162", ["initializing"])

    run(account, life)


def test_a_certificate_is_known_by_its_hosts() -> None:
    spec = read(PACK, {"hosts": ["WWW.example.com", "example.com", "example.com"]})
    assert spec == CertificatePack("example.com", HOSTS)
    assert identity_of(spec) == ("example.com", "example.com www.example.com")
    many = CertificatePack(
        "example.com", ("example.com", *(f"h{number}.example.com" for number in range(49)))
    )
    assert "and 46 more" in many.name
    assert len(many.name) < 200
    shown = PACK.from_wire({"zone": "example.com", "id": "x", "hosts": list(reversed(many.hosts))})
    assert identity_of(shown) == identity_of(many)


def test_an_expired_certificate_is_ordered_anew() -> None:
    data = {**PACK.to_wire(packs.BARE), "zone": "example.com", "id": "x", "status": "expired"}
    (change,) = PACK.differs(packs.BARE, PACK.from_wire(data))
    assert (change.field, change.mark.value) == ("status", "replace")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"hosts": ("www.example.com",)}, "lack the zone itself"),
        ({"hosts": ("example.com", "www.other.test")}, "not in the zone"),
        ({"hosts": ("example.com", "a.*.example.com")}, "one wildcard"),
        ({"hosts": ("*.example.com", "example.com"), "validation_method": "http"}, "use txt"),
        ({"hosts": ("example.com", *(f"h{number}.example.com" for number in range(50)))}, "1 to 50"),
        ({"certificate_authority": "digicert"}, "it may be google"),
        ({"certificate_authority": "lets_encrypt", "validity_days": 30}, "lets_encrypt gives 90"),
        ({"validation_method": "dns"}, "it may be txt"),
    ],
)
def test_problems_of_certificates(change: dict[str, Any], text: str) -> None:
    assert text in " ".join(PACK.problems(replace(packs.BARE, **change)))
    assert list(PACK.problems(packs.FULL)) == []


def test_a_setting_is_nobodys_before_it_was_set(account: Sandbox) -> None:
    async def life(cloud: Cloud) -> None:
        wanted = ZoneSetting("example.com", "min_tls_version", "1.2")
        found = await _setting(cloud, wanted)
        assert (found.value, found.touched) == ("1.0", False)
        assert not SETTING.clashes(wanted, found)
        changed = await SETTING.update(cloud, wanted, found)
        assert SETTING.differs(wanted, changed) == ()
        assert await _setting(cloud, wanted) == changed
        assert SETTING.clashes(replace(wanted, value="1.3"), changed)
        await SETTING.delete(cloud, changed)
        assert (await _setting(cloud, wanted)).value == "1.2"

    run(account, life)


async def _setting(cloud: Cloud, like: ZoneSetting) -> Any:
    (found,) = [one for one in await listed(SETTING, cloud, like) if one.setting == like.setting]
    return found


def test_of_a_table_only_what_the_file_gives_is_compared(account: Sandbox) -> None:
    async def life(cloud: Cloud) -> None:
        made = await SETTING.create(cloud, settings.BARE)
        assert SETTING.differs(settings.BARE, made) == ()
        changed = await SETTING.update(cloud, settings.FULL, made)
        assert SETTING.differs(settings.FULL, changed) == SETTING.differs(settings.BARE, changed) == ()

    run(account, life)


def test_all_settings_are_one_call_while_cloudflare_answers_it(account: Sandbox) -> None:
    async def life(cloud: Cloud) -> None:
        found = await listed(SETTING, cloud, ZoneSetting("example.com", "ssl", "full"))
        assert {one.setting for one in found} >= LISTED
        assert cloud.stats.total == 2  # the zone's id, and its settings
        found = await listed(SETTING, cloud, ZoneSetting("example.com", "no_such_setting", "x"))
        assert found == []

    run(account, life)


def test_settings_are_read_one_by_one_where_that_call_is_gone(connect: Callable[..., Cloud]) -> None:
    def respond(request: Request) -> Answer:
        if request.path.endswith("/zones"):
            return ok([{"id": ZONE, "name": "example.com"}])
        name = request.path.rpartition("/")[2]
        if name == "settings":
            return no(410, 9999, "this endpoint has been removed")
        return no(400, 1006, "Unrecognized") if name == "waf" else ok({"id": name, "value": "on"})

    async def use(cloud: Cloud) -> set[str]:
        found = await listed(SETTING, cloud, ZoneSetting("example.com", "ssl", "full"))
        return {one.setting for one in found}

    assert _with(connect, respond, use) == LISTED - {"waf"}


def _with(connect: Callable[..., Cloud], respond: Callable[[Request], Answer], use: Any) -> Any:
    import asyncio

    async def main() -> Any:
        async with Loopback(respond) as server, connect(server) as cloud:
            return await use(cloud)

    return asyncio.run(main())


def test_spellings_of_settings() -> None:
    assert read(SETTING, {"value": True}, "brotli") == ZoneSetting("example.com", "brotli", "on")
    assert read(ARGO, {"value": False}).value == "off"
    assert read(TIERED, {"smart_topology": True}) == TieredCache("example.com", "on", "on")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("security_level", "paranoid", "under_attack"),
        ("brotli", "yes", "on, off"),
        ("min_tls_version", 1.2, "1.0, 1.1"),
        ("always_use_htps", "on", 'Did you mean "always_use_https"?'),
    ],
)
def test_problems_of_settings(name: str, value: Any, text: str) -> None:
    assert text in " ".join(SETTING.problems(ZoneSetting("example.com", name, value)))
    assert list(SETTING.problems(ZoneSetting("example.com", "tls_1_2_only", "on"))) == []


def test_problems_of_switches() -> None:
    assert "on or off" in " ".join(ARGO.problems(replace(argos.BARE, value="auto")))
    assert "on or off" in " ".join(TIERED.problems(replace(caches.BARE, regional="auto")))
    idle = TieredCache("example.com", "off", "on")
    assert "do nothing" in " ".join(TIERED.problems(idle))


@pytest.mark.parametrize(
    ("kind", "bare", "full"), [(ARGO, argos.BARE, argos.FULL), (TIERED, caches.BARE, caches.FULL)]
)
def test_switches(account: Sandbox, kind: Any, bare: Any, full: Any) -> None:
    async def life(cloud: Cloud) -> None:
        (found,) = await listed(kind, cloud, bare)
        assert not kind.clashes(full, found)
        changed = await kind.update(cloud, full, found)
        assert kind.differs(full, changed) == ()
        assert await listed(kind, cloud, bare) == [changed]
        requests = cloud.stats.total
        assert await kind.update(cloud, full, changed) == changed
        assert cloud.stats.total == requests
        assert kind.differs(bare, await kind.create(cloud, bare)) == ()
        assert kind.clashes(replace(full, **_flipped(full)), changed)

    run(account, life)


def _flipped(full: Any) -> dict[str, str]:
    return {"value": "off"} if hasattr(full, "value") else {"smart_topology": "off"}


def test_requests(connect: Callable[..., Cloud]) -> None:
    async def use(cloud: Cloud) -> None:
        await PACK.delete(cloud, await PACK.create(cloud, packs.BARE))
        await SETTING.create(cloud, ZoneSetting("example.com", "ssl", "strict"))
        await ARGO.create(cloud, argos.FULL)
        await TIERED.create(cloud, caches.FULL)

    switch = {"id": "x", "value": "on"}
    hosts = ["*.example.com", "example.com"]
    assert ours(connect, use, {"id": "p", "hosts": hosts}, {"id": "p"}, *[switch] * 5) == theirs(
        lambda c: c.ssl.certificate_packs.create(
            zone_id=ZONE,
            type="advanced",
            hosts=hosts,
            certificate_authority="google",
            validation_method="txt",
            validity_days=90,
        ),
        lambda c: c.ssl.certificate_packs.delete("p", zone_id=ZONE),
        lambda c: c.zones.settings.edit("ssl", zone_id=ZONE, value="strict"),
        lambda c: c.argo.smart_routing.edit(zone_id=ZONE, value="on"),
        lambda c: c.argo.tiered_caching.edit(zone_id=ZONE, value="on"),
        lambda c: c.cache.smart_tiered_cache.edit(zone_id=ZONE, value="on"),
        lambda c: c.cache.regional_tiered_cache.edit(zone_id=ZONE, value="on"),
    )
