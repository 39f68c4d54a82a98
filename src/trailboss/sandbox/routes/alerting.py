"""Notifications (alerting v3): the catalogue, policies, silences and history. Destinations are in
`alerting_destinations.py`.

Faithful: shapes, codes, filters that a type needs, a PUT that changes what it names. Simplified: alerts come
only from the control plane's seed `alerts`; of webhooks, those on this machine are called; e-mail and
PagerDuty are noted in the history and sent nowhere.
https://developers.cloudflare.com/api/resources/alerting/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.products.alert_delivery import concerns, payload_of, post
from trailboss.sandbox.products.alert_types import TYPES, available, missing_filters, wrong_value
from trailboss.sandbox.refusals import ApiError, bad_request
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.alerting_destinations import PAGERDUTY, WEBHOOK, delivered

if TYPE_CHECKING:
    from trailboss.sandbox.box import Box
    from trailboss.sandbox.envelope import Reply
    from trailboss.sandbox.store import Record

POLICY, HISTORY, SILENCE = "alerting_policy", "alert_history", "alert_silence"
FIELDS = ("name", "alert_type", "enabled", "mechanisms", "filters", "description", "alert_interval")
MECHANISMS = {"email": "email", "webhooks": "webhook", "pagerduty": "pagerduty"}
"""A policy's word for a mechanism -> the history's."""


def policy_not_found() -> ApiError:
    """No policy of that id."""
    return ApiError(404, 17101, "policy not found")


def silence_not_found() -> ApiError:
    """No silence of that id."""
    return ApiError(404, 17110, "silence not found")


def mechanism_missing(detail: str = "") -> ApiError:
    """A policy must reach somebody, and whom it names must be there."""
    return ApiError(400, 17102, f"mechanism is missing{': ' + detail if detail else ''}")


def filters_missing(names: list[str]) -> ApiError:
    """The alert type needs filters."""
    return ApiError(400, 17103, f"filters are missing: {', '.join(names)}")


def _policy_of(call: Call) -> Record:
    found = call.store.get(POLICY, call["policy_id"])
    if found is None:
        raise policy_not_found()
    return found


def _check(call: Call, policy: Record) -> None:
    """What a policy must be, new or changed."""
    if not isinstance(policy.get("name"), str) or not policy["name"]:
        raise bad_request("name is required", 17100)
    if policy.get("alert_type") not in TYPES:
        raise bad_request(f"unknown alert_type {policy.get('alert_type')!r}", 17100)
    mechanisms = policy.get("mechanisms") or {}
    if not any(mechanisms.get(word) for word in MECHANISMS):
        raise mechanism_missing()
    for word, kind in (("webhooks", WEBHOOK), ("pagerduty", PAGERDUTY)):
        for one in mechanisms.get(word) or []:
            if call.store.get(kind, str(one.get("id"))) is None:
                raise mechanism_missing(f"{word} {one.get('id')} does not exist")
    filters = policy.get("filters") or {}
    if missing := missing_filters(policy["alert_type"], filters):
        raise filters_missing(missing)
    if wrong := wrong_value(policy["alert_type"], filters):
        raise bad_request(f"invalid filter {wrong}", 17103)


async def list_available(call: Call) -> dict[str, Any]:
    """Every alert type by product, with its filters."""
    return available()


async def list_policies(call: Call) -> Reply:
    """All of them."""
    return call.single(call.store.all(POLICY))


async def create_policy(call: Call) -> Record:
    """The answer is the id alone."""
    body, now = await call.object(), call.clock.iso()
    policy = {key: body[key] for key in FIELDS if body.get(key) is not None}
    policy = {"id": call.ids.hex(), "enabled": True, **policy, "created": now, "modified": now}
    _check(call, policy)
    call.store.put(POLICY, policy["id"], policy)
    return {"id": policy["id"]}


async def get_policy(call: Call) -> Record:
    """One policy."""
    return _policy_of(call)


async def update_policy(call: Call) -> Record:
    """What the body names is replaced."""
    policy, body = _policy_of(call), await call.object()
    policy.update({key: body[key] for key in FIELDS if body.get(key) is not None})
    _check(call, policy)
    policy["modified"] = call.clock.iso()
    call.store.put(POLICY, policy["id"], policy)
    return {"id": policy["id"]}


async def delete_policy(call: Call) -> None:
    """Its silences go with it."""
    policy = _policy_of(call)
    with call.store.transaction():
        call.store.delete(POLICY, policy["id"])
        call.store.delete_all(SILENCE, policy["id"])


async def list_history(call: Call) -> Reply:
    """What was sent, newest first, between `since` and `before`."""
    since, before = call.query("since"), call.query("before")
    found = [
        one
        for one in call.store.all(HISTORY, newest_first=True)
        if (not since or one["sent"] >= since) and (not before or one["sent"] < before)
    ]
    return call.paged(found, per_page=25)


async def list_silences(call: Call) -> Reply:
    """All of them."""
    return call.single(call.store.all(SILENCE))


async def create_silences(call: Call) -> None:
    """Several at once, all or none."""
    with call.store.transaction():
        for body in await call.array():
            _silence(call, {"id": call.ids.hex(), "created_at": call.clock.iso()}, body)


async def update_silences(call: Call) -> Reply:
    """Several at once, each named by its id."""
    with call.store.transaction():
        for body in await call.array():
            found = call.store.get(SILENCE, str(body.get("id")))
            if found is None:
                raise silence_not_found()
            _silence(call, found, body)
    return call.single(call.store.all(SILENCE))


def _silence(call: Call, record: Record, body: Record) -> None:
    fields = ("policy_id", "start_time", "end_time")
    record.update({key: body[key] for key in fields if body.get(key)})
    record["updated_at"] = call.clock.iso()
    if call.store.get(POLICY, str(record.get("policy_id"))) is None:
        raise policy_not_found()
    call.store.put(SILENCE, record["id"], record, parent=record["policy_id"])


async def get_silence(call: Call) -> Record:
    """One silence."""
    found = call.store.get(SILENCE, call["silence_id"])
    if found is None:
        raise silence_not_found()
    return found


async def delete_silence(call: Call) -> None:
    """The policy speaks again."""
    call.store.delete(SILENCE, (await get_silence(call))["id"])


def _silenced(box: Box, policy: Record) -> bool:
    now = box.clock.iso()
    return any(
        one.get("start_time", "") <= now < one.get("end_time", "9")
        for one in box.store.all(SILENCE, policy["id"])
    )


async def raise_alerts(box: Box, alerts: Any) -> list[Record]:
    """Seed `{"alerts": [{"alert_type", "data", "text", "state": "START" | "END", "correlation_id"}]}`: each
    goes to every policy it concerns. Returns what the history then has of them."""
    sent = []
    for one in alerts:
        event = {"state": "START", **one, "correlation_id": one.get("correlation_id") or box.ids.hex()}
        for policy in box.store.all(POLICY):
            if concerns(policy, event) and not _silenced(box, policy):
                sent += await _send(box, policy, event)
    return sent


async def _send(box: Box, policy: Record, event: Record) -> list[Record]:
    payload = payload_of(box.identity.account_id, policy, event, box.clock.now())
    sent = []
    for word, kind in MECHANISMS.items():
        for one in policy["mechanisms"].get(word) or []:
            hook = box.store.get(WEBHOOK, str(one["id"])) if kind == "webhook" else None
            if hook is not None:
                delivered(box, hook, await post(hook["url"], hook["secret"], payload))
            record = {
                "id": box.ids.uuid(),
                "name": policy["name"],
                "description": policy.get("description", ""),
                "alert_type": policy["alert_type"],
                "alert_body": payload["text"],
                "mechanism": hook["url"] if hook is not None else str(one["id"]),
                "mechanism_type": kind,
                "policy_id": policy["id"],
                "sent": box.clock.iso(),
            }
            sent.append(box.store.put(HISTORY, record["id"], record))
    return sent


router = Router("alerting")
_ROOT, _TYPES = "A/alerting/v3", "alerting."
_POLICIES, _SILENCES = f"{_ROOT}/policies", f"{_ROOT}/silences"
_POLICY, _SILENCE = f"{_POLICIES}/{{policy_id}}", f"{_SILENCES}/{{silence_id}}"
for _method, _path, _handler, _sdk, _request, _reply in (
    (
        "GET",
        f"{_ROOT}/available_alerts",
        list_available,
        "available_alerts.list",
        "",
        "AvailableAlertListResponse",
    ),
    ("GET", f"{_ROOT}/history", list_history, "history.list", "", "History"),
    ("GET", _POLICIES, list_policies, "policies.list", "", "Policy"),
    ("POST", _POLICIES, create_policy, "policies.create", "PolicyCreateParams", "PolicyCreateResponse"),
    ("GET", _POLICY, get_policy, "policies.get", "", "Policy"),
    ("PUT", _POLICY, update_policy, "policies.update", "PolicyUpdateParams", "PolicyUpdateResponse"),
    ("DELETE", _POLICY, delete_policy, "policies.delete", "", "PolicyDeleteResponse"),
    ("GET", _SILENCES, list_silences, "silences.list", "", "SilenceListResponse"),
    ("POST", _SILENCES, create_silences, "silences.create", "SilenceCreateParams", "SilenceCreateResponse"),
    ("PUT", _SILENCES, update_silences, "silences.update", "SilenceUpdateParams", "SilenceUpdateResponse"),
    ("GET", _SILENCE, get_silence, "silences.get", "", "SilenceGetResponse"),
    ("DELETE", _SILENCE, delete_silence, "silences.delete", "", "SilenceDeleteResponse"),
):
    router.add(
        _method,
        _path,
        _handler,
        sdk=f"alerting.{_sdk}",
        request=f"{_TYPES}{_request}" if _request else "",
        reply=f"{_TYPES}{_reply}",
    )
router.seed("alerts", raise_alerts)
