"""Where notifications go: webhooks, PagerDuty services, and which of them the account may use.

Faithful: a webhook's secret is never shown, its type is told by its host, a new one gets a test request and
is refused when that is answered badly. Simplified: only destinations on this machine are called (others count
as not tried); linking PagerDuty needs no consent.
https://developers.cloudflare.com/api/resources/alerting/subresources/destinations/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.alert_delivery import TEST, kind_of, loopback, post
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

WEBHOOK, PAGERDUTY, LINK = "alerting_webhook", "alerting_pagerduty", "alerting_pagerduty_link"
PORTS = (80, 443)


def webhook_not_found() -> ApiError:
    """No webhook of that id."""
    return ApiError(404, 17104, "webhook not found")


def test_failed(status: int) -> ApiError:
    """The test request was not answered with 2xx; Cloudflare gives this the code 0."""
    return ApiError(400, 0, f"error sending a test webhook request: the server answered {status}")


def _webhook_of(call: Call) -> Record:
    found = call.store.get(WEBHOOK, call["webhook_id"])
    if found is None:
        raise webhook_not_found()
    return found


def _shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "secret"}


async def list_webhooks(call: Call) -> Reply:
    """Without their secrets."""
    return call.single([_shown(one) for one in call.store.all(WEBHOOK)])


async def create_webhook(call: Call) -> Record:
    """Tested before it is kept; the answer is the id alone."""
    now = call.clock.iso()
    record = {
        "id": call.ids.hex(),
        "created_at": now,
        "last_success": None,
        "last_failure": None,
        "secret": "",
    }
    return await _keep(call, record)


async def update_webhook(call: Call) -> Record:
    """Tested again; a secret that is not given stays."""
    return await _keep(call, _webhook_of(call))


async def _keep(call: Call, record: Record) -> Record:
    body = await call.object()
    name, url = body.get("name"), body.get("url")
    if not isinstance(name, str) or not name:
        raise bad_request("name is required", 17100)
    record |= {"name": name, "url": _address(url), "type": kind_of(str(url))}
    if body.get("secret") is not None:
        record["secret"] = str(body["secret"])
    status = await post(record["url"], record["secret"], {"text": TEST})
    if status is not None and not 200 <= status < 300:
        raise test_failed(status)
    delivered(call.box, record, status)
    return {"id": record["id"]}


def _address(url: Any) -> str:
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad_request("url must be an http or https address", 17100)
    if parts.port not in (None, *PORTS) and not loopback(url):
        raise bad_request(f"url must have port {' or '.join(map(str, PORTS))}", 17100)
    return str(url)


def delivered(box: Box, hook: Record, status: int | None) -> None:
    """Keep a webhook with how its last call went; None: nobody was called."""
    if status is not None:
        hook["last_success" if 200 <= status < 300 else "last_failure"] = box.clock.iso()
    box.store.put(WEBHOOK, hook["id"], hook)


async def get_webhook(call: Call) -> Record:
    """One webhook, without its secret."""
    return _shown(_webhook_of(call))


async def delete_webhook(call: Call) -> None:
    """Policies that name it stay as they are."""
    call.store.delete(WEBHOOK, _webhook_of(call)["id"])


async def list_pagerduty(call: Call) -> Reply:
    """The linked services."""
    return call.single(call.store.all(PAGERDUTY))


async def delete_pagerduty(call: Call) -> None:
    """All of them."""
    call.store.delete_all(PAGERDUTY, "")


async def connect_pagerduty(call: Call) -> Record:
    """A token to link a service with."""
    return call.store.put(LINK, token := call.ids.uuid(), {"id": token})


async def link_pagerduty(call: Call) -> Record:
    """The service the token stands for, linked."""
    token = call["token_id"]
    if not call.store.delete(LINK, token):
        raise ApiError(404, 17105, "pagerduty token not found")
    call.store.put(PAGERDUTY, token, {"id": token, "name": f"PagerDuty service {token[:8]}"})
    return {"id": token}


async def get_eligible(call: Call) -> dict[str, list[Record]]:
    """Everything: the sandbox has no plans."""
    kinds = {"email": "email", "pagerduty": "pagerduty", "webhooks": "webhook"}
    return {word: [{"eligible": True, "ready": True, "type": kind}] for word, kind in kinds.items()}


router = Router("alerting_destinations")
_ROOT = "A/alerting/v3/destinations"
_HOOKS, _HOOK, _DUTY = f"{_ROOT}/webhooks", f"{_ROOT}/webhooks/{{webhook_id}}", f"{_ROOT}/pagerduty"
for _method, _path, _handler, _sdk, _request, _reply in (
    ("GET", f"{_ROOT}/eligible", get_eligible, "eligible.get", "", "EligibleGetResponse"),
    ("GET", _HOOKS, list_webhooks, "webhooks.list", "", "Webhooks"),
    ("POST", _HOOKS, create_webhook, "webhooks.create", "WebhookCreateParams", "WebhookCreateResponse"),
    ("GET", _HOOK, get_webhook, "webhooks.get", "", "Webhooks"),
    ("PUT", _HOOK, update_webhook, "webhooks.update", "WebhookUpdateParams", "WebhookUpdateResponse"),
    ("DELETE", _HOOK, delete_webhook, "webhooks.delete", "", "WebhookDeleteResponse"),
    ("GET", _DUTY, list_pagerduty, "pagerduty.get", "", "Pagerduty"),
    ("DELETE", _DUTY, delete_pagerduty, "pagerduty.delete", "", "PagerdutyDeleteResponse"),
    ("POST", f"{_DUTY}/connect", connect_pagerduty, "pagerduty.create", "", "PagerdutyCreateResponse"),
    ("GET", f"{_DUTY}/connect/{{token_id}}", link_pagerduty, "pagerduty.link", "", "PagerdutyLinkResponse"),
):
    router.add(
        _method,
        _path,
        _handler,
        sdk=f"alerting.destinations.{_sdk}",
        request=f"alerting.destinations.{_request}" if _request else "",
        reply=f"alerting.destinations.{_reply}",
    )
