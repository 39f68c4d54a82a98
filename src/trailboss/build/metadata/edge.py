"""What meets the outside: e-mail, certificates, rate limits, log forwarding, assets, and files as
bindings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trailboss.build.metadata.table import Family, Fields, listed, named, plain, single, some


def _assets(value: Any) -> Iterator[tuple[str, str, Fields]]:
    if value and value.get("binding"):
        yield value["binding"], "assets", {}


def _logfwdr(value: Any) -> Iterator[tuple[str, str, Fields]]:
    for entry in (value or {}).get("bindings") or ():
        yield entry["name"], "logfwdr", entry


def _email(name: str, fields: Fields) -> dict[str, Any]:
    wire = {"name": name, "type": "send_email", **some(fields, "allowed_sender_addresses")}
    one = some(fields, "destination_address")
    return {**wire, **(one or some(fields, "allowed_destination_addresses"))}


def _blob(kind: str) -> Any:
    def wire(name: str, _: Fields) -> dict[str, Any]:
        return {"name": name, "type": kind, "part": name}

    return wire


FAMILY = Family(
    read={
        "send_email": listed("send_email", "name"),
        "ratelimits": listed("ratelimit", "name"),
        "mtls_certificates": listed("mtls_certificate"),
        "logfwdr": _logfwdr,
        "analytics": single("analytics"),
        "assets": _assets,
        "wasm_modules": named("wasm_module"),
        "text_blobs": named("text_blob"),
        "data_blobs": named("data_blob"),
        "unsafe_hello_world": listed("unsafe_hello_world"),
    },
    wire={
        "send_email": _email,
        "ratelimit": plain("ratelimit", "namespace_id", "simple"),
        "mtls_certificate": plain("mtls_certificate", "certificate_id"),
        "logfwdr": plain("logfwdr", "destination"),
        "analytics": plain("analytics"),
        "assets": plain("assets"),
        "wasm_module": _blob("wasm_module"),
        "text_blob": _blob("text_blob"),
        "data_blob": _blob("data_blob"),
        "unsafe_hello_world": plain("unsafe_hello_world", "enable_timer"),
    },
)
