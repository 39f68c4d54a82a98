"""Life stories of tunnels, private networks and Access."""

from __future__ import annotations

import base64
from typing import Any

from tests.sandbox.walk.walker import Walk


def tunnels(walk: Walk) -> None:
    product, here = walk.sdk.zero_trust.tunnels.cloudflared, walk.here
    secret = base64.b64encode(b"s" * 32).decode()
    made = product.create(name="office", config_src="cloudflare", tunnel_secret=secret, **here).id
    assert made is not None
    assert product.edit(made, name="home", **here).name == "home"
    assert product.get(made, **here).status == "inactive"
    assert [item.id for item in product.list(is_deleted=False, **here)] == [made]
    assert [item.id for item in walk.sdk.zero_trust.tunnels.list(name="home", **here)] == [made]
    assert product.token.get(made, **here)
    assert product.management.create(made, resources=["logs"], **here).count(".") == 2
    assert walk.plain("POST", f"cfd_tunnel/{made}/management/logs").count(".") == 2
    route = {"type": "dns", "user_hostname": "walked.example.com"}
    assert walk.plain("PUT", f"/zones/{walk.zone_id}/tunnels/{made}/routes", json=route)["cname"] == "new"
    _configured(walk, made)
    product.delete(made, **here)
    assert [item.id for item in product.list(is_deleted=True, **here)] == [made]


def _configured(walk: Walk, tunnel: str) -> None:
    product, here = walk.sdk.zero_trust.tunnels.cloudflared, walk.here
    rules = [{"hostname": "a.example.com", "service": "hello_world"}, {"service": "http_status:404"}]
    walk.plain("PUT", f"cfd_tunnel/{tunnel}/configurations", json={"config": {"ingress": rules}})
    assert walk.plain("GET", f"cfd_tunnel/{tunnel}/configurations")["version"] == 1
    (connector,) = product.connections.get(tunnel, **here)
    assert connector.id is not None
    assert product.connectors.get(connector.id, tunnel_id=tunnel, **here).id == connector.id
    product.connections.delete(tunnel, **here)
    assert list(product.connections.get(tunnel, **here)) == []


def networks(walk: Walk) -> None:
    product, here = walk.sdk.zero_trust.networks, walk.here
    tunnel = str(walk.sdk.zero_trust.tunnels.cloudflared.create(name="lan", **here).id)
    (default,) = product.virtual_networks.list(**here)
    assert default.is_default_network
    network = product.virtual_networks.create(name="lab", comment="a", **here).id
    assert product.virtual_networks.edit(network, comment="b", **here).comment == "b"
    assert product.virtual_networks.get(network, **here).name == "lab"
    route = product.routes.create(network="10.0.0.0/8", tunnel_id=tunnel, **here).id
    assert route is not None
    assert product.routes.edit(route, comment="ours", **here).comment == "ours"
    assert product.routes.get(route, **here).network == "10.0.0.0/8"
    assert [item.tunnel_name for item in product.routes.list(network_superset="10.1.0.0/16", **here)] == [
        "lan"
    ]
    assert product.routes.ips.get("10.1.2.3", **here).id == route
    name = product.hostname_routes.create(hostname="wiki.internal", tunnel_id=tunnel, **here).id
    assert name is not None
    assert product.hostname_routes.edit(name, comment="ours", **here).comment == "ours"
    assert product.hostname_routes.get(name, **here).tunnel_name == "lan"
    assert [item.id for item in product.hostname_routes.list(**here)] == [name]
    product.hostname_routes.delete(name, **here)
    product.routes.delete(route, **here)
    product.virtual_networks.delete(network, **here)
    walk.sdk.zero_trust.tunnels.cloudflared.delete(tunnel, **here)


def _scopes(walk: Walk) -> tuple[dict[str, Any], dict[str, Any]]:
    """Access is of the account or of a zone; the same calls go to both."""
    return walk.here, {"zone_id": walk.zone_id}


def access_applications(walk: Walk) -> None:
    access = walk.sdk.zero_trust.access
    made_policy = access.policies.create(name="open", decision="bypass", include=EVERYONE, **walk.here)
    assert made_policy is not None and made_policy.id is not None
    reusable = made_policy.id
    for name, scope in zip(("a.example.com", "b.example.com"), _scopes(walk), strict=True):
        fields: dict[str, Any] = {"type": "self_hosted", "domain": name, "name": name, **scope}
        made: Any = access.applications.create(policies=[reusable], **fields)
        assert made.aud and made.policies[0].name == "open"
        assert access.applications.update(made.id, session_duration="1h", **fields) is not None
        assert access.applications.get(made.id, **scope) is not None
        assert [item.id for item in access.applications.list(**scope)] == [made.id]
        access.applications.settings.update(made.id, allow_iframe=True, **scope)
        settings = access.applications.settings.edit(made.id, skip_interstitial=True, **scope)
        assert settings is not None and settings.allow_iframe
        access.applications.revoke_tokens(made.id, **scope)
        _policies(walk, made.id, scope)
        _authority(walk, made.id, scope)
        access.applications.delete(made.id, **scope)
    assert access.policies.update(reusable, name="shut", decision="deny", include=EVERYONE, **walk.here)
    assert access.policies.get(reusable, **walk.here) is not None
    assert [item.name for item in access.policies.list(**walk.here)] == ["shut"]
    access.policies.delete(reusable, **walk.here)
    _infrastructure(walk)


def _policies(walk: Walk, app: str, scope: dict[str, Any]) -> None:
    policies = walk.sdk.zero_trust.access.applications.policies
    rule: dict[str, Any] = {"name": "us", "decision": "allow", "include": [{"geo": {"country_code": "US"}}]}
    made: Any = policies.create(app, **scope, **rule)
    assert made.precedence == 2
    changed: Any = policies.update(made.id, app_id=app, precedence=7, **scope, **rule)
    assert changed.precedence == 7
    found: Any = policies.get(made.id, app_id=app, **scope)
    assert found.name == "us"
    assert len(list(policies.list(app, **scope))) == 2
    policies.delete(made.id, app_id=app, **scope)


def _authority(walk: Walk, app: str, scope: dict[str, Any]) -> None:
    authorities = walk.sdk.zero_trust.access.applications.cas
    made = authorities.create(app, **scope)
    assert made is not None and str(made.public_key).startswith("ecdsa-sha2-nistp256 ")
    assert authorities.get(app, **scope) == made
    assert [item.id for item in authorities.list(**scope)] == [made.id]
    authorities.delete(app, **scope)


def _infrastructure(walk: Walk) -> None:
    access, here = walk.sdk.zero_trust.access, walk.here
    targets = [{"port": 22, "protocol": "SSH", "target_attributes": {"hostname": ["box"]}}]
    inline: dict[str, Any] = {"name": "admins", "decision": "allow", "include": EVERYONE}
    inline["connection_rules"] = {"ssh": {"usernames": ["root"]}}
    fields: Any = {"type": "infrastructure", "target_criteria": targets, "policies": [inline]}
    made: Any = access.applications.create(name="boxes", **fields, **here)
    assert made.target_criteria[0].port == 22
    access.applications.delete(made.id, **here)
    _targets(walk)
    authority = access.gateway_ca.create(**here)
    assert authority is not None
    assert [item.id for item in access.gateway_ca.list(**here)] == [authority.id]
    access.gateway_ca.delete(str(authority.id), **here)


def _targets(walk: Walk) -> None:
    targets, here = walk.sdk.zero_trust.access.infrastructure.targets, walk.here
    place: Any = {"ipv4": {"ip_addr": "10.0.0.1"}}
    made = targets.create(hostname="box", ip=place, tags={"os": "linux"}, **here)
    assert made is not None and made.ip.ipv4 is not None and made.ip.ipv4.virtual_network_id
    changed = targets.update(made.id, hostname="Box", ip=place, **here)
    assert changed is not None and changed.hostname == "Box"
    found = targets.get(made.id, **here)
    assert found is not None and found.id == made.id
    many: Any = [
        {"hostname": "Box", "ip": place},
        {"hostname": "other", "ip": {"ipv6": {"ip_addr": "fd00::1"}}},
    ]
    ids = [item.id for item in targets.bulk_update(body=many, **here)]
    assert ids[0] == made.id and len(ids) == 2
    assert [item.id for item in targets.list(hostname="box", **here)] == [made.id]
    targets.delete(made.id, **here)
    targets.bulk_delete_v2(target_ids=ids, **here)
    assert list(targets.list(**here)) == []


def access_groups_and_tokens(walk: Walk) -> None:
    access = walk.sdk.zero_trust.access
    for scope in _scopes(walk):
        group = access.groups.create(name="all", include=EVERYONE, **scope)
        assert group is not None and group.id is not None
        access.groups.update(group.id, name="every", include=EVERYONE, **scope)
        assert [item.name for item in access.groups.list(**scope)] == ["every"]
        assert access.groups.get(group.id, **scope) is not None
        access.groups.delete(group.id, **scope)
        token = access.service_tokens.create(name="ci", duration="24h", **scope)
        assert token is not None and token.id is not None and token.client_secret
        changed = access.service_tokens.update(token.id, name="cd", **scope)
        assert changed is not None and changed.name == "cd"
        assert access.service_tokens.get(token.id, **scope) is not None
        assert [item.id for item in access.service_tokens.list(**scope)] == [token.id]
        access.service_tokens.delete(token.id, **scope)
    turning = access.service_tokens.create(name="ci", **walk.here)
    assert turning is not None and turning.id is not None
    turned = access.service_tokens.rotate(turning.id, **walk.here)
    assert turned is not None and turned.client_secret != turning.client_secret
    assert access.service_tokens.refresh(turning.id, **walk.here) is not None
    access.service_tokens.delete(turning.id, **walk.here)


def access_organizations(walk: Walk) -> None:
    zero = walk.sdk.zero_trust
    refused: dict[str, Any] = {"auth_domain": "mine.cloudflareaccess.com", "name": "mine"}
    assert walk.plain("POST", "access/organizations", json=refused, status=409)["code"] == 12132
    zero.organizations.create(**refused, zone_id=walk.zone_id)
    for scope in _scopes(walk):
        changed = zero.organizations.update(session_duration="1h", **scope)
        assert changed is not None and changed.session_duration == "1h"
        found = zero.organizations.list(**scope)
        assert found is not None and str(found.auth_domain).endswith(".cloudflareaccess.com")
        assert zero.organizations.revoke_users(email="a@example.com", **scope) is True
        _provider(walk, scope)
    tags, here = zero.access.tags, walk.here
    tags.create(name="ours", **here)
    tags.update("ours", name="theirs", **here)
    assert [item.name for item in tags.list(**here)] == ["theirs"]
    assert tags.get("theirs", **here) is not None
    tags.delete("theirs", **here)
    keys = zero.access.keys
    assert keys.update(key_rotation_interval_days=30, **here) is not None
    assert keys.rotate(**here) is not None
    found_keys = keys.get(**here)
    assert found_keys is not None and found_keys.days_until_next_rotation == 30


def _provider(walk: Walk, scope: dict[str, Any]) -> None:
    providers = walk.sdk.zero_trust.identity_providers
    fields: dict[str, Any] = {"name": "GitHub", "type": "github", **scope}
    made: Any = providers.create(config={"client_id": "id", "client_secret": "hidden"}, **fields)
    assert made.config.client_id == "id" and made.config.client_secret is None
    assert providers.update(made.id, config={"client_id": "other"}, **fields) is not None
    assert providers.get(made.id, **scope) is not None
    assert [item.id for item in providers.list(**scope)] == [made.id]
    providers.delete(made.id, **scope)


EVERYONE: Any = [{"everyone": {}}]

STORIES: Any = (tunnels, networks, access_applications, access_groups_and_tokens, access_organizations)
