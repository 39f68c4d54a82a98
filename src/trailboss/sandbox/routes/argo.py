"""Argo: smart routing and tiered caching, two switches of a zone.

Faithful: shapes, `editable` by the zone's plan. Simplified: nothing is routed or cached by them.
https://developers.cloudflare.com/api/resources/argo/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zones_settings import keep, kept, not_editable, plan_of, switched

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record

ROUTING, TIERED = "smart_routing", "tiered_caching"
PAID = frozenset({ROUTING})


def _read(call: Call, name: str) -> Record:
    editable = name not in PAID or plan_of(call) != "free"
    plain = {"id": name, "value": "off", "editable": editable, "modified_on": None}
    return kept(call, name) or plain


async def _write(call: Call, name: str) -> Record:
    present, value = _read(call, name), switched(name, (await call.object()).get("value"))
    if not present["editable"]:
        raise not_editable(name)
    return keep(call, name, {**present, "value": value})


async def get_smart_routing(call: Call) -> Record:
    """Whether it is on."""
    return _read(call, ROUTING)


async def edit_smart_routing(call: Call) -> Record:
    """On or off; not on the Free plan."""
    return await _write(call, ROUTING)


async def get_tiered_caching(call: Call) -> Record:
    """Whether it is on."""
    return _read(call, TIERED)


async def edit_tiered_caching(call: Call) -> Record:
    """On or off."""
    return await _write(call, TIERED)


router = Router("argo")
_rows: tuple[tuple[str, str, Any, Any], ...] = (
    (ROUTING, "SmartRouting", get_smart_routing, edit_smart_routing),
    (TIERED, "TieredCaching", get_tiered_caching, edit_tiered_caching),
)
for _name, _type, _get, _edit in _rows:
    _path, _types, _sdk = f"Z/argo/{_name}", f"argo.{_type}", f"argo.{_name}"
    router.add("GET", _path, _get, sdk=f"{_sdk}.get", reply=f"{_types}GetResponse")
    router.add(
        "PATCH",
        _path,
        _edit,
        sdk=f"{_sdk}.edit",
        request=f"{_types}EditParams",
        reply=f"{_types}EditResponse",
    )
