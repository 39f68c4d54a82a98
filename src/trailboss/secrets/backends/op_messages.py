"""What the `op` program says on stderr, told apart.

`op` has one exit status for everything, so its words are all there is. They are as version 2 writes them
(a `[ERROR] <date> <time>` in front is dropped):

    "V" isn't a vault in this account. ...
    could not resolve item UUID for item I: could not find item I in vault V
    could not read secret 'op://V/I/F': "I" isn't an item in the "V" vault. ...
    item 'V/I' does not have a field 'F'
    item 'V/I' does not have a section 'S'
    More than one item matches "I". ..."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trailboss.errors import SecretError
from trailboss.secrets.backends import PartName, Unresolved, failures
from trailboss.secrets.reference import Reference

_PREFIX = re.compile(r"^\s*\[ERROR\]\s*(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\s*)?", re.MULTILINE)
_TOKEN = re.compile(r"\b(?:ops_|eyJ)[A-Za-z0-9_.+/=-]{8,}")

_NAME = r"""["'“]?(?P<name>[^"'”:]+?)["'”]?"""
_PARTS: tuple[tuple[re.Pattern[str], PartName, str], ...] = (
    (re.compile(rf"more than one vault matches {_NAME}(?:\.|:|$)", re.I), "vault", "ambiguous"),
    (re.compile(rf"more than one item matches {_NAME}(?:\.|:|$)", re.I), "item", "ambiguous"),
    (re.compile(rf"(?:multiple|more than one) fields? (?:match|matches|with|named) {_NAME}(?:\.|:|$)", re.I),
     "field", "ambiguous"),
    (re.compile(r"[\"'](?P<name>[^\"']+)[\"'] isn't a vault", re.I), "vault", "unknown"),
    (re.compile(r"could not find vault [\"']?(?P<name>[^\"'\n]+?)[\"']?(?:\.|$)", re.I), "vault", "unknown"),
    (re.compile(r"[\"'](?P<name>[^\"']+)[\"'] isn't an item", re.I), "item", "unknown"),
    (re.compile(r"could not find item (?P<name>.+?) in vault", re.I), "item", "unknown"),
    (re.compile(r"could not resolve item UUID for item (?P<name>[^:\n]+)", re.I), "item", "unknown"),
    (re.compile(r"does not have a section [\"']?(?P<name>[^\"'\n]+?)[\"']?(?:\.|$)", re.I),
     "section", "unknown"),
    (re.compile(r"does not have a field [\"']?(?P<name>[^\"'\n]+?)[\"']?(?:\.|$)", re.I),
     "field", "unknown"),
)  # fmt: skip
_OF_ITEM = re.compile(r"item '(?P<vault>[^'/]+)/(?P<item>[^']+)' does not have", re.I)
_IN_VAULT = re.compile(r"""(?:in the "(?P<a>[^"]+)" vault|in vault (?P<b>[^\s.]+))""", re.I)
_WHOLE = re.compile(r"'(?P<reference>op://[^']+)'")


def message(stderr: str) -> str:
    """The first line that says something, without its prefix and without anything like a token."""
    lines = [line.strip() for line in _PREFIX.sub("", stderr).splitlines() if line.strip()]
    return _TOKEN.sub("<token>", lines[0])[:300] if lines else ""


def about_references(stderr: str, references: Iterable[Reference]) -> dict[Reference, Unresolved]:
    """The references that a message is about; empty when it is about something else."""
    text = message(stderr)
    for pattern, part, reason in _PARTS:
        match = pattern.search(text)
        if match:
            name = match["name"].strip()
            what = Unresolved(part, "ambiguous" if reason == "ambiguous" else "unknown")
            asked = tuple(references)
            hit = [r for r in asked if _same(getattr(r, part), name) and _agrees(r, text)]
            hit = hit or [r for r in asked if _same(getattr(r, part), name)]
            return dict.fromkeys(hit, what)
    return {}


def _same(ours: str | None, theirs: str) -> bool:
    return ours is not None and ours.casefold() == theirs.casefold()


def _agrees(reference: Reference, text: str) -> bool:
    """Whether everything else the message names is the reference's too; a vault may appear as its id."""
    whole = _WHOLE.search(text)
    if whole and not _same(str(reference), whole["reference"]):
        return False
    item = _OF_ITEM.search(text)
    if item:
        return _same(reference.vault, item["vault"]) and _same(reference.item, item["item"])
    vault = _IN_VAULT.search(text)
    named = (vault["a"] or vault["b"]) if vault else None
    return named is None or _same(reference.vault, named) or bool(re.fullmatch("[a-z0-9]{26}", named))


def about_everything(stderr: str, *, token: bool) -> SecretError:
    """The error for a message that is about no reference; `token` says that one is in the environment."""
    text = message(stderr)
    low = stderr.casefold()
    if "prompt dismissed" in low or "authorization denied" in low or "authorization timeout" in low:
        return failures.dismissed()
    if "too many requests" in low or "rate limit" in low or "(429)" in low:
        return failures.rate_limited(text)
    if token and any(word in low for word in ("token", "unauthorized", "(401)", "(403)", "deserialize")):
        return failures.bad_token("OP_SERVICE_ACCOUNT_TOKEN", text)
    if "multiple accounts" in low:
        return failures.which_account()
    if any(word in low for word in _LOCKED):
        return failures.locked(text)
    if any(word in low for word in _NETWORK):
        return failures.out_of_reach("1Password", text)
    return failures.failed("`op inject`", text)


_LOCKED = (
    "not currently signed in",
    "not signed in",
    "session expired",
    "no account found",
    "no accounts configured",
    "is locked",
    "connecting to desktop app",
    "connect to desktop app",
)
_NETWORK = ("no such host", "dial tcp", "i/o timeout", "connection refused", "network is unreachable")
