"""Access in front of a host name: the application, its policies, its authority, and what we show to pass.

https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trailboss.errors import CloudError, ConfigError, NotFound
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

ID_NAMES = ("CF_ACCESS_CLIENT_ID", "TUNNEL_SERVICE_TOKEN_ID")
SECRET_NAMES = ("CF_ACCESS_CLIENT_SECRET", "TUNNEL_SERVICE_TOKEN_SECRET")
TOKEN_NAMES = ("CF_ACCESS_TOKEN",)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks to be let in: a service token, or a user's own Access token; neither is a person's browser."""

    client_id: str = ""
    client_secret: Secret | None = None
    token: Secret | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Visitor:
        """From CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET (or cloudflared's names), CF_ACCESS_TOKEN.

        Raises:
            ConfigError: TB1821 only one half of a service token is set.
        """
        client, secret = _first(environ, ID_NAMES), _first(environ, SECRET_NAMES)
        if bool(client) != bool(secret):
            missing = SECRET_NAMES[0] if client else ID_NAMES[0]
            raise ConfigError(
                "TB1821", f"{missing} is not set, but its other half is", hint="Set both, or none."
            )
        token = _first(environ, TOKEN_NAMES)
        return cls(client, Secret(secret) if secret else None, Secret(token) if token else None)

    @property
    def headers(self) -> dict[str, Secret]:
        """What is sent to the edge."""
        found = {}
        if self.client_secret is not None:
            found["Cf-Access-Client-Id"] = Secret(self.client_id)
            found["Cf-Access-Client-Secret"] = self.client_secret
        if self.token is not None:
            found["Cf-Access-Token"] = self.token
        return found

    @property
    def environ(self) -> dict[str, str]:
        """The same for cloudflared: in its environment and in no command line."""
        if self.client_secret is None:
            return {}
        return {
            "TUNNEL_SERVICE_TOKEN_ID": self.client_id,
            "TUNNEL_SERVICE_TOKEN_SECRET": self.client_secret.reveal(),
        }


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


@dataclass(frozen=True, slots=True)
class Application:
    """The Access application of a host name; `made` says whether it was made now."""

    id: str
    hostname: str
    made: bool
    emails: tuple[str, ...] = ()


async def find_application(cloud: Cloud, hostname: str) -> dict[str, Any] | None:
    """The application whose domain is the whole of `hostname`."""
    path = f"{cloud.account}/access/apps"
    async for one in cloud.pages(path, params={"domain": hostname}, per_page=100):
        if str(one.get("domain", "")).rstrip("/") == hostname:
            found: dict[str, Any] = one
            return found
    return None


async def ensure_application(
    cloud: Cloud, hostname: str, visitor: Visitor, emails: tuple[str, ...] = (), *, kind: str = "self_hosted"
) -> Application:
    """Nobody passes to `hostname` but who is named: `emails`, the visitor's service token; without either,
    the user whose API token this is. An application that is there stays as it is.

    Raises:
        ConfigError: TB1822 nobody is named and the token is nobody's. CloudError: what the account says.
    """
    present = await find_application(cloud, hostname)
    if present is not None:
        return Application(str(present["id"]), hostname, False, emails_of(present))
    named = emails or (() if visitor.client_id else (await own_email(cloud),))
    policies = []
    if visitor.client_id:
        rule = {"service_token": {"token_id": await _token_id(cloud, visitor.client_id)}}
        policies.append({"name": "service token", "decision": "non_identity", "include": [rule]})
    if named:
        include = [_person(email) for email in named]
        policies.append({"name": "people", "decision": "allow", "include": include})
    body = {
        "type": kind,
        "name": hostname,
        "domain": hostname,
        "session_duration": "24h",
        "app_launcher_visible": False,
        "policies": [{**one, "precedence": number} for number, one in enumerate(policies, 1)],
    }
    made = await cloud.post(f"{cloud.account}/access/apps", json=body)
    return Application(str(made["id"]), hostname, True, tuple(named))


def _person(email: str) -> dict[str, Any]:
    if email.startswith("@"):
        return {"email_domain": {"domain": email[1:]}}
    return {"email": {"email": email}}


def emails_of(application: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses its policies let in by name."""
    rules = [rule for policy in application.get("policies") or () for rule in policy.get("include") or ()]
    return tuple(str(rule["email"]["email"]) for rule in rules if "email" in rule)


async def own_email(cloud: Cloud) -> str:
    """The address of the user whose API token this is.

    Raises:
        ConfigError: TB1822 the token is an account's, or may not say.
    """
    try:
        email = (await cloud.get("/user")).get("email")
    except CloudError:
        email = None
    if not email:
        raise ConfigError(
            "TB1822",
            "nobody is named whom Access should let in",
            hint='Write `emails = ["you@example.com"]` under [ssh] in trailboss.toml, or set'
            " CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET.",
        )
    return str(email)


async def _token_id(cloud: Cloud, client_id: str) -> str:
    """The id of the service token that shows `client_id`. Raises NotFound TB2313."""
    async for one in cloud.pages(f"{cloud.account}/access/service_tokens", per_page=100):
        if one.get("client_id") == client_id:
            return str(one["id"])
    raise NotFound(
        "TB2313",
        "the account has no service token with this CF_ACCESS_CLIENT_ID",
        hint="Make one in the Zero Trust dashboard, or through the API: access/service_tokens.",
    )


async def find_authority(cloud: Cloud, application: Application) -> str | None:
    """The public key of the application's SSH authority, for sshd's TrustedUserCAKeys; None without one."""
    try:
        return str((await cloud.get(f"{cloud.account}/access/apps/{application.id}/ca"))["public_key"])
    except NotFound:
        return None


async def ensure_authority(cloud: Cloud, application: Application) -> str:
    """The same, made when there is none."""
    found = await find_authority(cloud, application)
    if found is not None:
        return found
    return str((await cloud.post(f"{cloud.account}/access/apps/{application.id}/ca"))["public_key"])


async def sandbox_login(cloud: Cloud, hostname: str, email: str) -> Secret:
    """The token that a browser's login would have given: a sandbox has no login page, but a control call."""
    parts = urlsplit(cloud.target.base_url)
    url = f"{parts.scheme}://{parts.netloc}/_sandbox/access"
    import json

    import httpx

    token = cloud.target.token
    assert isinstance(token, Secret)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            url,
            content=json.dumps({"application": hostname, "email": email}),
            headers={"authorization": f"Bearer {token.reveal()}"},
        )
    if answer.status_code != 200:
        raise NotFound("TB2314", f"the sandbox gives no login for {hostname}", hint=answer.text[:200])
    return Secret(str(answer.json()["result"]["jwt"]))
