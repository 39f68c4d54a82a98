"""Settings of a zone. Source: edge reference 3.1; the key is the setting's own name.

[resources.zone_setting.min_tls_version]
value = "1.2"

One call reads all settings of a zone. Cloudflare has announced the end of that call: where it is refused, the
settings are read one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.errors import AuthenticationError, CloudError, NotFound, PermissionDenied, Unavailable
from trailboss.resources.argo_smart_routing import VALUES, switched
from trailboss.resources.marks import IDENTITY, MUTABLE, NAMED, SERVER_SET, Difference, subset_differs
from trailboss.resources.protocol import Basis, Permissions

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

UNKNOWN = 1006  # no setting of that name
CHOICES: dict[str, tuple[Any, ...]] = {
    "cache_level": ("aggressive", "basic", "simplified"),
    "cname_flattening": ("flatten_at_root", "flatten_all"),
    "h2_prioritization": ("on", "off", "custom"),
    "image_resizing": ("on", "off", "open"),
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "polish": ("off", "lossless", "lossy"),
    "pseudo_ipv4": ("off", "add_header", "overwrite_header"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
    "tls_1_3": ("on", "off", "zrt"),
}
"""Setting -> its values, of those with a few."""
_SWITCHES = """0rtt always_online always_use_https automatic_https_rewrites brotli browser_check
development_mode early_hints email_obfuscation hotlink_protection http2 http3 ip_geolocation ipv6 mirage
opportunistic_encryption opportunistic_onion orange_to_orange origin_error_page_pass_thru prefetch_preload
privacy_pass response_buffering rocket_loader server_side_exclude sort_query_string_for_cache tls_client_auth
true_client_ip_header waf webp websockets"""
_OTHERS = """automatic_platform_optimization browser_cache_ttl challenge_ttl ciphers edge_cache_ttl max_upload
nel proxy_read_timeout security_header"""
_ALONE = """advanced_ddos aegis china_network_enabled content_converter origin_h2_max_streams
origin_max_http_version pre_render redirects_for_ai_training replace_insecure_js search_for_agents
sha1_support ssl_automatic_mode tls_1_2_only transformations transformations_allowed_origins webmcp_enabled
webmcp_packs"""
SWITCHES = frozenset(_SWITCHES.split())
LISTED = frozenset((*CHOICES, *SWITCHES, *_OTHERS.split()))
"""What the one call shows; other settings have a call each."""
KNOWN = LISTED | frozenset(_ALONE.split())


@dataclass(frozen=True, slots=True)
class ZoneSetting:
    """What a file may want: `value` as Cloudflare writes it (true and false are on and off); of a table only
    what the file gives is compared."""

    zone: str = field(metadata=IDENTITY)
    setting: str = field(metadata=IDENTITY | NAMED)
    value: Any = field(metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedZoneSetting:
    """A setting of the zone: whether its plan allows a change, and whether anybody ever made one."""

    zone: str = field(metadata=IDENTITY)
    setting: str = field(metadata=IDENTITY)
    value: Any = field(default=None, metadata=MUTABLE)
    editable: bool = field(default=True, metadata=SERVER_SET)
    touched: bool = field(default=False, metadata=SERVER_SET)


class ZoneSettingKind(Basis):
    """The kind `zone_setting`."""

    name = "zone_setting"
    spec = ZoneSetting
    scope = "zone"
    is_setting = True
    permissions = Permissions("Zone Settings Read", "Zone Settings Write")

    def problems(self, spec: ZoneSetting) -> Iterable[str]:
        allowed = VALUES if spec.setting in SWITCHES else CHOICES.get(spec.setting, ())
        if allowed and spec.value not in allowed:
            yield f"{spec.setting} is {spec.value!r}; it may be {', '.join(allowed)}"
        if spec.setting not in KNOWN:
            from trailboss.config.keys import closest

            if near := closest(spec.setting, sorted(KNOWN)):
                yield f"'{spec.setting}' is no setting that is known. {near}"

    def adjust(self, table: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: switched(value) if name == "value" else value for name, value in table.items()}

    def scope_of(self, spec: ZoneSetting) -> tuple[Any, ...]:
        return (spec.zone,) if spec.setting in LISTED else (spec.zone, spec.setting)

    def handle(self, observed: ObservedZoneSetting) -> str:
        return observed.setting

    def clashes(self, spec: ZoneSetting, observed: ObservedZoneSetting) -> bool:
        """What Cloudflare chose is nobody's; what somebody set by hand is theirs."""
        return observed.touched

    def differs(self, spec: ZoneSetting, observed: ObservedZoneSetting) -> tuple[Difference, ...]:
        return subset_differs(spec, observed)

    def to_wire(self, spec: ZoneSetting) -> dict[str, Any]:
        return {"value": spec.value}

    def from_wire(self, data: Mapping[str, Any]) -> ObservedZoneSetting:
        return ObservedZoneSetting(
            str(data["zone"]),
            str(data["id"]),
            data.get("value"),
            data.get("editable") is not False,
            data.get("modified_on") is not None,
        )

    async def list(self, cloud: Cloud, like: ZoneSetting | None = None) -> AsyncIterator[ObservedZoneSetting]:
        assert like is not None
        items = await _all(cloud, like.zone) if like.setting in LISTED else []
        if like.setting not in [item["id"] for item in items]:
            items = [*items, *await _one(cloud, like.zone, like.setting)]
        for item in items:
            yield self.from_wire({**item, "zone": like.zone})

    async def create(self, cloud: Cloud, spec: ZoneSetting) -> ObservedZoneSetting:
        path = await _path(cloud, spec.zone, spec.setting)
        changed = await cloud.patch(path, json=self.to_wire(spec), idempotent=True)
        return self.from_wire({**changed, "zone": spec.zone})

    async def update(
        self, cloud: Cloud, spec: ZoneSetting, observed: ObservedZoneSetting
    ) -> ObservedZoneSetting:
        return await self.create(cloud, spec) if self.differs(spec, observed) else observed

    async def delete(self, cloud: Cloud, observed: ObservedZoneSetting) -> None:
        """A setting stays as it is."""


async def _all(cloud: Cloud, zone: str) -> list[Mapping[str, Any]]:
    try:
        return list(await cloud.get(f"{await cloud.zone(zone)}/settings"))
    except (AuthenticationError, PermissionDenied, Unavailable):
        raise
    except CloudError:
        each = await asyncio.gather(*(_one(cloud, zone, name) for name in sorted(LISTED)))
        return [item for found in each for item in found]


async def _one(cloud: Cloud, zone: str, name: str) -> list[Mapping[str, Any]]:
    """The setting, or nothing when the zone has none of that name."""
    try:
        return [await cloud.get(await _path(cloud, zone, name))]
    except CloudError as error:
        if isinstance(error, NotFound) or error.has_code(UNKNOWN):
            return []
        raise


async def _path(cloud: Cloud, zone: str, name: str) -> str:
    from trailboss.cloud import segment

    return f"{await cloud.zone(zone)}/settings/{segment(name)}"


KIND = ZoneSettingKind()
