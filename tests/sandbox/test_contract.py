"""The official SDK as contract and as client: every row, every read, every list, a Worker's life."""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from typing import Any

import cloudflare
import pytest
from cloudflare import Cloudflare

from tests.conftest import Sandbox
from tests.sandbox.upload import ECHO, deploy, split, version, who
from trailboss.sandbox.contract import NOTHING, reply_problem, sdk_type
from trailboss.sandbox.contract_deviations import OPEN_FIELDS
from trailboss.sandbox.routes import Route, discover

ROUTES = [route for router in discover() for route in router.routes]
COVERED = [route for route in ROUTES if route.sdk]
READS = sorted((route for route in COVERED if route.method == "GET"), key=lambda route: route.name)
NOBODY = "0" * 32


@pytest.fixture
def sdk(account: Sandbox) -> Iterator[Cloudflare]:
    connection = account.connection
    with Cloudflare(
        base_url=connection.api_url,
        api_token=connection.token,
        api_email="",
        api_key="",
        default_headers={"Authorization": f"Bearer {connection.token}"},
        max_retries=0,
    ) as client:
        yield client


def method_of(client: Cloudflare, route: Route) -> Any:
    place: Any = client
    for part in route.sdk.split("."):
        place = getattr(place, part)
    return place


def test_every_row_names_a_method_and_types_that_exist() -> None:
    client = Cloudflare(api_token="x")
    wrong = []
    for route in COVERED:
        try:
            method_of(client, route)
            for name in {route.request, route.reply} - {"", NOTHING}:
                sdk_type(name)
        except (AttributeError, LookupError) as error:
            wrong.append(f"{route.name}: {error}")
    assert not wrong


def test_every_covered_row_says_what_it_answers() -> None:
    raw = {"get_script", "get_object", "get_value"}
    silent = [
        route.name
        for route in COVERED
        if not route.reply and not route.unchecked and route.handler.__name__ not in raw
    ]
    assert not silent


def test_the_check_refuses_what_the_sdk_would_let_pass() -> None:
    good = {"id": "a", "created_on": "2026-01-01T00:00:00Z", "source": "api", "strategy": "percentage"}
    share = {"version_id": "v", "percentage": 100}
    assert reply_problem("workers.scripts.Deployment", {**good, "versions": [share], "more": 1}) == ""
    assert "versions" in reply_problem("workers.scripts.Deployment", good)
    assert "percentage" in reply_problem(
        "workers.scripts.Deployment", {**good, "versions": [{**share, "percentage": "100"}]}
    )


def arguments(method: Any, values: dict[str, str]) -> dict[str, Any]:
    found = {}
    for name, parameter in inspect.signature(method).parameters.items():
        wanted = parameter.default is inspect.Parameter.empty or name in ("account_id", "zone_id")
        if wanted and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            found[name] = values.get(name, NOBODY)
    if "account_id" in found:
        found.pop("zone_id", None)
    return found


@pytest.fixture
def values(account: Sandbox) -> dict[str, str]:
    """Path values of things that are there."""
    first = deploy(account, "walker", who("one"))
    second = version(account, "walker", who("two"))
    deployment = split(account, "walker", (first["version_id"], 50), (second["id"], 50))
    spaces = account.call("POST", f"{account.account}/storage/kv/namespaces", {"title": "walked"})
    return {
        "account_id": account.connection.account_id,
        "script_name": "walker",
        "worker_id": "walker",
        "version_id": second["id"],
        "deployment_id": deployment["id"],
        "namespace_id": spaces["id"],
    }


def test_every_read_through_the_sdk(sdk: Cloudflare, account: Sandbox, values: dict[str, str]) -> None:
    """Answers in the SDK's types, or refuses as Cloudflare does; and every list comes to its end."""
    wrong = []
    for route in READS:
        if route.unchecked or route.reply in OPEN_FIELDS:
            continue
        method = method_of(sdk, route)
        try:
            answer = method(**arguments(method, values))
            if hasattr(answer, "iter_pages"):
                for number, _ in enumerate(answer):
                    assert number < 500, "no end"
        except cloudflare.APIStatusError as error:
            if error.status_code >= 500 or any(item.code == 10599 for item in error.errors):
                wrong.append(f"{route.name}: {error.message}")
        except Exception as error:
            wrong.append(f"{route.name}: {type(error).__name__} {error}")
    assert not wrong, "\n".join(wrong)


def test_a_workers_life_through_the_sdk(sdk: Cloudflare, account: Sandbox) -> None:
    here = {"account_id": account.connection.account_id}
    scripts = sdk.workers.scripts
    metadata: Any = {"main_module": "index.js", "compatibility_date": "2026-01-01", **who("sdk")}
    code = ("index.js", ECHO.encode(), "application/javascript+module")
    made = scripts.update("life", metadata=metadata, files=[code], **here)
    assert made.handlers == ["fetch", "scheduled"]
    scripts.subdomain.create("life", enabled=True, previews_enabled=True, **here)
    assert account.worker("life").text == "hello from sdk"
    metadata = {**metadata, **who("next")}
    raw = scripts.versions.with_raw_response.create("life", metadata=metadata, files=[code], **here)
    newer = raw.http_response.json()["result"]
    share: Any = [{"version_id": newer["id"], "percentage": 100}]
    scripts.deployments.create("life", strategy="percentage", versions=share, **here)
    assert account.worker("life").text == "hello from next"
    scripts.secrets.update("life", name="KEY", text="x", type="secret_text", **here)
    assert [item.name for item in scripts.secrets.list("life", **here)] == ["KEY"]
    bulk: Any = {"KEY": None, "OTHER": {"name": "OTHER", "text": "y", "type": "secret_text"}}
    scripts.secrets.bulk_update("life", secrets=bulk, **here)
    assert [item.name for item in scripts.secrets.list("life", **here)] == ["OTHER"]
    settings: Any = {"compatibility_date": "2026-02-01"}
    edited = scripts.script_and_version_settings.edit("life", settings=settings, **here)
    assert edited is not None and edited.compatibility_date == "2026-02-01"
    scripts.schedules.update("life", body=[{"cron": "*/5 * * * *"}], **here)
    tail = scripts.tail.create("life", **here)
    assert tail is not None and tail.url.startswith("ws://127.0.0.1:")
    scripts.tail.delete(tail.id, script_name="life", **here)
    assert [item.id for item in scripts.list(**here)] == ["life"]
    assert len(list(scripts.versions.list("life", deployable=True, **here))) == 5
    scripts.delete("life", **here)
    assert list(scripts.list(**here)) == []


def test_the_newer_workers_resource_through_the_sdk(sdk: Cloudflare, account: Sandbox) -> None:
    import base64

    here = {"account_id": account.connection.account_id}
    workers = sdk.workers.beta.workers
    made = workers.create(name="newer", subdomain={"enabled": True, "previews_enabled": True}, **here)
    modules: Any = [
        {
            "name": "index.js",
            "content_type": "application/javascript+module",
            "content_base64": base64.b64encode(ECHO.encode()).decode(),
        }
    ]
    bindings: Any = who("json")["bindings"]
    first = workers.versions.create(
        made.id, deploy=True, main_module="index.js", modules=modules, bindings=bindings, **here
    )
    assert (first.number, account.worker("newer").text) == (1, "hello from json")
    assert [item.id for item in workers.versions.list(made.id, **here)] == [first.id]
    settings: Any = {"observability": {}, "subdomain": {}, "tail_consumers": [], "logpush": True}
    assert workers.edit(made.id, name="newer", tags=["a"], **settings, **here).tags == ["a"]
    assert [item.name for item in workers.list(**here)] == ["newer"]
    workers.delete(made.id, **here)
    assert list(workers.list(**here)) == []


def test_a_form_part_may_be_a_stream(sdk: Cloudflare, account: Sandbox) -> None:
    here = {"account_id": account.connection.account_id}
    metadata: Any = {"main_module": "index.js"}
    part = ("index.js", io.BytesIO(ECHO.encode()), "application/javascript+module")
    assert sdk.workers.scripts.update("streamed", metadata=metadata, files=[part], **here).has_modules
