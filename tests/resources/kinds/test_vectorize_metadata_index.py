"""Metadata indexes: a whole life, what the SDK would send, and writes that are visible only later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.cloud.loopback import Answer, Request, ok
from tests.conftest import Sandbox
from tests.resources.cases.vectorize_metadata_index import BARE, BEFORE, FULL
from tests.resources.kinds.lives import ACCOUNT, listed, live, run, theirs, writes
from trailboss.cloud import Cloud
from trailboss.errors import AlreadyExists, PlanError
from trailboss.resources import vectorize_metadata_index
from trailboss.resources.registry import kind
from trailboss.resources.vectorize_metadata_index import KIND


def test_a_life(account: Sandbox) -> None:
    run(account, lambda cloud: kind(BEFORE[0][0]).create(cloud, BEFORE[0][1]))
    found = live(account, KIND, BARE, FULL)
    assert KIND.handle(found) == "url"

    async def use(cloud: Cloud) -> None:
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, BARE)
        (change,) = KIND.differs(replace(BARE, type="string"), found)
        assert change.mark.value == "replace"
        nowhere = replace(BARE, index="nowhere")
        assert await listed(KIND, cloud, nowhere) == []
        await KIND.delete(cloud, replace(found, index="nowhere"))

    run(account, use)


def test_requests(connect: Callable[..., Cloud]) -> None:
    shown: list[dict[str, str]] = []

    def respond(request: Request) -> Answer:
        if request.method == "GET":
            return ok({"metadataIndexes": shown})
        shown[:] = [] if shown else [{"propertyName": "url", "indexType": "Number"}]
        return ok({"mutationId": "m"})

    async def use(cloud: Cloud) -> None:
        await KIND.delete(cloud, await KIND.create(cloud, BARE))

    index = "docs"
    assert writes(connect, use, respond) == theirs(
        lambda c: c.vectorize.indexes.metadata_index.create(
            index, account_id=ACCOUNT, index_type="number", property_name="url"
        ),
        lambda c: c.vectorize.indexes.metadata_index.delete(index, account_id=ACCOUNT, property_name="url"),
    )


def test_one_made_a_moment_ago_shows_before_it_is_refused(account: Sandbox) -> None:
    async def use(cloud: Cloud) -> None:
        await kind(BEFORE[0][0]).create(cloud, BEFORE[0][1])
        path = f"{cloud.account}/vectorize/v2/indexes/docs/metadata_index"
        made = KIND.to_wire(BARE)
        await cloud.post(f"{path}/create", json=made)
        await KIND.create(cloud, replace(BARE, property_name="other"))
        with pytest.raises(AlreadyExists):
            await KIND.create(cloud, BARE)
        assert {one.property_name for one in await listed(KIND, cloud, BARE)} == {"url", "other"}

    run(account, use)


def test_what_never_shows_is_told(connect: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorize_metadata_index, "PATIENCE", 0.0)
    with pytest.raises(PlanError) as caught:
        writes(connect, lambda cloud: KIND.create(cloud, BARE), lambda _: ok({}))
    assert caught.value.code == "TB6111"


def test_problems() -> None:
    assert "boolean" in " ".join(KIND.problems(replace(BARE, type="date")))
    assert "empty" in " ".join(KIND.problems(replace(BARE, property_name="")))
    assert list(KIND.problems(BARE)) == []
    assert KIND.scope_of(BARE) == ("docs",)
