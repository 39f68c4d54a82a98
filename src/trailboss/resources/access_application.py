"""Access applications of an account that stand before host names. Source: edge reference 2.2.

The policies are keys of `access_policy`, asked in the order of the file. A PUT resets what it does not name,
so a change is laid over what is there; the application's own (inline) policies are replaced where the file
gives a list. A name is one application here, though Cloudflare allows several.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from trailboss.errors import CloudError, NotFound
from trailboss.resources.access_parts import duration_problems, rewritten
from trailboss.resources.marks import (
    IDENTITY,
    MUTABLE,
    NAMED,
    REPLACE,
    SERVER_SET,
    UNSET,
    Difference,
    Ref,
    Unset,
    set_fields,
    subset_differs,
    to,
)
from trailboss.resources.protocol import Basis, Permissions, Tagged
from trailboss.resources.refusals import taken

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

TYPES = ("self_hosted", "ssh", "vnc", "rdp")
TAKEN = 11010  # another application stands before the same place
MOST_DOMAINS = 5
Tables = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AccessApplication:
    """What a file may want: `domain` (a host name, with a path if need be) or `destinations`."""

    name: str = field(metadata=IDENTITY | NAMED)
    domain: str | Unset = field(default=UNSET, metadata=MUTABLE)
    type: str = field(default="self_hosted", metadata=REPLACE)
    destinations: Tables | Unset = field(default=UNSET, metadata=MUTABLE)
    policies: tuple[str | Ref, ...] | Unset = field(default=UNSET, metadata=MUTABLE | to("access_policy"))
    session_duration: str | Unset = field(default=UNSET, metadata=MUTABLE)
    allowed_idps: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    auto_redirect_to_identity: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    app_launcher_visible: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    service_auth_401_redirect: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    read_service_tokens_from_header: str | Unset = field(default=UNSET, metadata=MUTABLE)
    skip_interstitial: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    options_preflight_bypass: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    enable_binding_cookie: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    http_only_cookie_attribute: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    same_site_cookie_attribute: str | Unset = field(default=UNSET, metadata=MUTABLE)
    path_cookie_attribute: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    custom_deny_message: str | Unset = field(default=UNSET, metadata=MUTABLE)
    custom_deny_url: str | Unset = field(default=UNSET, metadata=MUTABLE)
    custom_non_identity_deny_url: str | Unset = field(default=UNSET, metadata=MUTABLE)
    cors_headers: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)
    logo_url: str | Unset = field(default=UNSET, metadata=MUTABLE)
    tags: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    allow_authenticate_via_warp: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    allow_iframe: bool | Unset = field(default=UNSET, metadata=MUTABLE)
    custom_pages: tuple[str, ...] | Unset = field(default=UNSET, metadata=MUTABLE)
    mfa_config: Mapping[str, Any] | Unset = field(default=UNSET, metadata=MUTABLE)


@dataclass(frozen=True, slots=True)
class ObservedAccessApplication:
    """An application of the account; `id` is a UUID, `aud` what its tokens are for, `policies` their ids.

    Fields that Cloudflare does not show are at their default.
    """

    name: str = field(metadata=IDENTITY)
    id: str = field(metadata=SERVER_SET)
    aud: str = field(default="", metadata=SERVER_SET)
    domain: str = field(default="", metadata=MUTABLE)
    type: str = field(default="self_hosted", metadata=REPLACE)
    destinations: Tables = field(default=(), metadata=MUTABLE)
    policies: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    session_duration: str = field(default="", metadata=MUTABLE)
    allowed_idps: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    auto_redirect_to_identity: bool = field(default=False, metadata=MUTABLE)
    app_launcher_visible: bool = field(default=True, metadata=MUTABLE)
    service_auth_401_redirect: bool = field(default=False, metadata=MUTABLE)
    read_service_tokens_from_header: str = field(default="", metadata=MUTABLE)
    skip_interstitial: bool = field(default=False, metadata=MUTABLE)
    options_preflight_bypass: bool = field(default=False, metadata=MUTABLE)
    enable_binding_cookie: bool = field(default=False, metadata=MUTABLE)
    http_only_cookie_attribute: bool = field(default=True, metadata=MUTABLE)
    same_site_cookie_attribute: str = field(default="", metadata=MUTABLE)
    path_cookie_attribute: bool = field(default=False, metadata=MUTABLE)
    custom_deny_message: str = field(default="", metadata=MUTABLE)
    custom_deny_url: str = field(default="", metadata=MUTABLE)
    custom_non_identity_deny_url: str = field(default="", metadata=MUTABLE)
    cors_headers: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)
    logo_url: str = field(default="", metadata=MUTABLE)
    tags: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    allow_authenticate_via_warp: bool = field(default=False, metadata=MUTABLE)
    allow_iframe: bool = field(default=False, metadata=MUTABLE)
    custom_pages: tuple[str, ...] = field(default=(), metadata=MUTABLE)
    mfa_config: Mapping[str, Any] = field(default_factory=dict, metadata=MUTABLE)


LISTS = ("destinations", "allowed_idps", "tags", "custom_pages")
SETTINGS = tuple(
    place.name for place in fields(AccessApplication) if place.name not in ("name", "policies", *LISTS)
)


class AccessApplicationKind(Basis):
    """The kind `access_application`."""

    name = "access_application"
    spec = AccessApplication
    ownership = Tagged("access_application")
    permissions = Permissions("Access: Apps and Policies Read", "Access: Apps and Policies Write")

    def problems(self, spec: AccessApplication) -> Iterable[str]:
        if spec.type not in TYPES:
            yield f"type is '{spec.type}'; it may be {', '.join(TYPES)}"
        if not spec.domain and not spec.destinations:
            yield "it lacks domain (or destinations): what does it stand before?"
        if isinstance(spec.domain, str) and "://" in spec.domain:
            yield f"domain is '{spec.domain}'; it is a host name without https://"
        public = [one for one in _tables(spec) if one.get("type", "public") == "public"]
        if len(public) > MOST_DOMAINS:
            yield f"it has {len(public)} public destinations; Cloudflare allows {MOST_DOMAINS}"
        yield from duration_problems("session_duration", spec.session_duration)

    def differs(self, spec: AccessApplication, observed: ObservedAccessApplication) -> tuple[Difference, ...]:
        return subset_differs(spec, observed)

    def to_wire(self, spec: AccessApplication) -> dict[str, Any]:
        body = set_fields(name=spec.name, **{name: getattr(spec, name) for name in SETTINGS})
        body |= {name: list(value) for name in LISTS if (value := getattr(spec, name)) is not UNSET}
        if isinstance(spec.policies, tuple):
            body["policies"] = _links(spec.policies)
        if not spec.domain:  # Cloudflare wants one; it is the first of the destinations
            first = next((str(one["uri"]) for one in _tables(spec) if one.get("uri")), UNSET)
            body |= set_fields(domain=first)
        return body

    def from_wire(self, data: Mapping[str, Any]) -> ObservedAccessApplication:
        settings = {name: data[name] for name in SETTINGS if data.get(name) is not None}
        settings |= {name: tuple(data.get(name) or ()) for name in LISTS}
        policies = sorted(data.get("policies") or (), key=lambda one: int(one.get("precedence") or 0))
        return ObservedAccessApplication(
            str(data.get("name") or ""),
            str(data["id"]),
            str(data.get("aud") or ""),
            policies=tuple(str(one["id"]) for one in policies),
            **settings,
        )

    async def list(
        self, cloud: Cloud, like: AccessApplication | None = None
    ) -> AsyncIterator[ObservedAccessApplication]:
        async for item in cloud.pages(_path(cloud), per_page=100):
            if item.get("type") in TYPES:
                yield self.from_wire(item)

    async def create(self, cloud: Cloud, spec: AccessApplication) -> ObservedAccessApplication:
        try:
            return self.from_wire(await cloud.post(_path(cloud), json=self.to_wire(spec)))
        except CloudError as error:
            if error.has_code(TAKEN):
                hint = f"Another application stands before '{spec.domain or spec.name}': adopt or delete it."
                raise taken(error, hint) from error
            raise

    async def update(
        self, cloud: Cloud, spec: AccessApplication, observed: ObservedAccessApplication
    ) -> ObservedAccessApplication:
        if not self.differs(spec, observed):
            return observed
        body = self.to_wire(spec)
        if spec.policies is UNSET:
            body["policies"] = _links(observed.policies)
        if spec.destinations is UNSET:
            body |= set_fields(destinations=_moved(spec, observed))
        path = f"{_path(cloud)}/{observed.id}"
        dropped = ("self_hosted_domains", "destinations", "policies")
        return self.from_wire(await rewritten(cloud, path, body, dropped))

    async def delete(self, cloud: Cloud, observed: ObservedAccessApplication) -> None:
        with contextlib.suppress(NotFound):
            await cloud.delete(f"{_path(cloud)}/{observed.id}")


def _links(policies: Iterable[Any]) -> list[dict[str, Any]]:
    return [{"id": one, "precedence": place} for place, one in enumerate(policies, 1)]


def _tables(app: AccessApplication) -> Tables:
    return app.destinations if isinstance(app.destinations, tuple) else ()


def _moved(spec: AccessApplication, observed: ObservedAccessApplication) -> list[Any] | Unset:
    """What is guarded beside the domain stays; the old domain gives way to the new one."""
    others = [one for one in observed.destinations if one.get("uri") != observed.domain]
    if not others:
        return UNSET
    return [{"type": "public", "uri": spec.domain or observed.domain}, *others]


def _path(cloud: Cloud) -> str:
    return f"{cloud.account}/access/apps"


KIND = AccessApplicationKind()
