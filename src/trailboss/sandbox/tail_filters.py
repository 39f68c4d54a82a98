"""Which trace items a tail wants: Cloudflare's filter objects, all of which must agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

LOCAL = {"127.0.0.1", "::1", "localhost"}


def passes(item: dict[str, Any], filters: list[dict[str, Any]], fraction: Callable[[], float]) -> bool:
    """Whether every filter lets the item through; `fraction` draws for sampling."""
    return all(_one(item, rule, fraction) for rule in filters)


def _one(item: dict[str, Any], rule: dict[str, Any], fraction: Callable[[], float]) -> bool:
    checks: dict[str, Callable[[Any], bool]] = {
        "sampling_rate": lambda rate: fraction() < float(rate),
        "outcome": lambda wanted: item.get("outcome") in wanted,
        "method": lambda wanted: _request(item).get("method") in wanted,
        "header": lambda wanted: _header(item, wanted),
        "client_ip": lambda wanted: _client(item, wanted),
        "query": lambda text: str(text) in json.dumps(item.get("logs") or []),
        "scriptVersion": lambda wanted: _version(item) == wanted,
    }
    return all(checks[name](value) for name, value in rule.items() if name in checks)


def _request(item: dict[str, Any]) -> dict[str, Any]:
    event = item.get("event")
    request = event.get("request") if isinstance(event, dict) else None
    return request if isinstance(request, dict) else {}


def _header(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    headers = {str(name).lower(): str(value) for name, value in (_request(item).get("headers") or {}).items()}
    value = headers.get(str(wanted.get("key", "")).lower())
    return value is not None and str(wanted.get("query") or "") in value


def _client(item: dict[str, Any], wanted: list[str]) -> bool:
    headers = {str(name).lower(): str(value) for name, value in (_request(item).get("headers") or {}).items()}
    address = headers.get("cf-connecting-ip", "")
    return address in wanted or ("self" in wanted and address in LOCAL)


def _version(item: dict[str, Any]) -> str:
    version = item.get("scriptVersion")
    return str(version.get("id", "")) if isinstance(version, dict) else str(item.get("version", ""))
