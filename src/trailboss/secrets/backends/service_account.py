"""A 1Password service account through the official SDK (PyPI `onepassword-sdk`), which is optional.

All references go in one call. The SDK's reply and its exceptions can hold values and the token, so neither
is kept: values are wrapped at once, and our errors are raised outside of the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, TypeVar

from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, PartName, Unresolved, failures
from trailboss.secrets.obvious import FieldName
from trailboss.secrets.reference import Reference
from trailboss.values import Secret
from trailboss.version import __version__

Found = TypeVar("Found")
TOKEN = "OP_SERVICE_ACCOUNT_TOKEN"  # noqa: S105 - the variable's name
PACKAGE = "onepassword"
INSTALL = "pip install 'trailboss[onepassword]' (or: pip install onepassword-sdk)"

_MEANS: Mapping[str, Unresolved] = {
    "vaultNotFound": Unresolved("vault", "unknown"),
    "tooManyVaults": Unresolved("vault", "ambiguous"),
    "itemNotFound": Unresolved("item", "unknown"),
    "tooManyItems": Unresolved("item", "ambiguous"),
    "noMatchingSections": Unresolved("section", "unknown"),
    "fieldNotFound": Unresolved("field", "unknown"),
    "tooManyMatchingFields": Unresolved("field", "ambiguous"),
    "incompatibleTOTPQueryParameterField": Unresolved(
        "attribute", "unsupported", "the field is no one-time password"
    ),
    "unableToGenerateTotpCode": Unresolved("attribute", "unsupported", "no one-time password can be made"),
    "incompatibleSshKeyQueryParameterField": Unresolved(
        "attribute", "unsupported", "the field is no private key"
    ),
    "unsupportedFileFormat": Unresolved("field", "unsupported", "the file is not text"),
}


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The SDK with a service account's `token`."""

    token: Secret
    timeout: float = 120.0
    name: str = field(default="service-account")

    async def resolve(self, references: Sequence[Reference]) -> dict[Reference, Answer]:
        """All values in one call of `resolve_all`. Raises SecretError TB7040 and TB7044-TB7049."""
        asked = {str(reference): reference for reference in references}

        async def ask(client: Any) -> dict[str, Answer]:
            return _answers(await client.secrets.resolve_all(list(asked)))

        found = await self._ask(_sdk(), ask)
        if isinstance(found, SecretError):
            raise found
        return {
            reference: found.get(text, Unresolved("field", "unknown", "it is not in the answer"))
            for text, reference in asked.items()
        }

    async def fields(self, reference: Reference) -> tuple[FieldName, ...] | Unresolved:
        """The item's fields. Raises SecretError as `resolve`."""
        found = await self._ask(_sdk(), lambda client: _fields(client, reference))
        if isinstance(found, SecretError):
            raise found
        return found

    async def _ask(self, sdk: ModuleType, question: Callable[[Any], Awaitable[Found]]) -> Found | SecretError:
        try:
            async with asyncio.timeout(self.timeout):
                client = await sdk.Client.authenticate(
                    auth=self.token.reveal(),
                    integration_name="Trailboss",
                    integration_version=__version__,
                )
                return await question(client)
        except TimeoutError:
            return failures.no_answer("1Password", self.timeout)
        except Exception as error:  # noqa: BLE001 - the SDK raises bare Exception for most of what it meets
            return _meaning(type(error).__name__, str(error), self.token)


async def _fields(client: Any, reference: Reference) -> tuple[FieldName, ...] | Unresolved:
    """The fields of an item, found by name or id as in a reference."""
    vault = _one("vault", reference.vault, await client.vaults.list())
    if isinstance(vault, Unresolved):
        return vault
    item = _one("item", reference.item, await client.items.list(vault))
    if isinstance(item, Unresolved):
        return item
    found = await client.items.get(vault, item)
    return tuple(
        FieldName.of(
            id=one.id, label=one.title, section=one.section_id or "", purpose="", value=one.value or ""
        )
        for one in found.fields
    )


def _one(part: PartName, wanted: str, there: Sequence[Any]) -> str | Unresolved:
    """The id of the vault or item that is called `wanted`, or has that id."""
    hits = [one.id for one in there if one.id.casefold() == wanted.casefold()]
    hits = hits or [one.id for one in there if one.title.strip().casefold() == wanted.casefold()]
    if len(hits) == 1:
        return str(hits[0])
    if hits:
        return Unresolved(part, "ambiguous", "use its id: " + ", ".join(hits))
    return Unresolved(part, "unknown", known=tuple(one.title for one in there))


def available() -> bool:
    """Whether the SDK can be imported, without importing it."""
    return find_spec(PACKAGE) is not None


def _sdk() -> ModuleType:
    if not available():
        raise failures.not_installed("The Python package onepassword-sdk", INSTALL)
    try:
        return import_module(PACKAGE)
    except (ImportError, OSError) as error:
        raise failures.not_installed(
            f"A onepassword-sdk that runs on this machine ({error})",
            "It needs glibc 2.32 or newer, or macOS or Windows; the `op` program works with the same token.",
        ) from None


def _answers(response: Any) -> dict[str, Answer]:
    """The reply with every value wrapped."""
    return {text: _answer(one) for text, one in response.individual_responses.items()}


def _answer(one: Any) -> Answer:
    if one.content is not None:
        return Secret(one.content.secret)
    kind = getattr(one.error, "type", None)
    kind = getattr(kind, "value", kind) or "other"
    return _MEANS.get(str(kind), Unresolved("field", "unsupported", f"the SDK says {kind}"))


def _meaning(kind: str, text: str, token: Secret) -> SecretError:
    said = text.replace(token.reveal(), "<token>").splitlines()[0][:300] if text else kind
    low = said.casefold()
    if kind == "RateLimitExceededException" or "rate limit" in low:
        return failures.rate_limited(said)
    if "token" in low or any(word in low for word in ("unauthorized", "expired", "401", "forbidden")):
        return failures.bad_token(TOKEN, said)
    if any(word in low for word in ("network", "connect", "dns", "timed out", "error sending request")):
        return failures.out_of_reach("1Password", said)
    return failures.failed("1Password's SDK", said)
