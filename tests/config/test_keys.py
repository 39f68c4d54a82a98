"""Our tables of keys against the pinned wrangler's own schema and validator."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from trailboss.config.inherit import INHERITED
from trailboss.config.keys import ENVIRONMENT, INHERITABLE, KNOWN, NOT_INHERITABLE, TOP_LEVEL, closest
from trailboss.config.wrangler import WranglerConfig
from trailboss.toolchain import ensure


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (ensure().root / "node_modules/wrangler/config-schema.json").read_text()
    )
    return found["definitions"]


@pytest.fixture(scope="module")
def validator() -> str:
    """The body of wrangler's normalizeAndValidateEnvironment."""
    bundle = (ensure().root / "node_modules/wrangler/wrangler-dist/cli.js").read_text()
    start = bundle.index("\nfunction normalizeAndValidateEnvironment(")
    return bundle[start : bundle.index("\n}\n", start)]


def fields() -> set[str]:
    return {info.alias or name for name, info in WranglerConfig.model_fields.items()}


def test_every_key_of_the_schema_is_known(schema: dict[str, Any]) -> None:
    assert set(schema["RawConfig"]["properties"]) == ENVIRONMENT | TOP_LEVEL
    assert set(schema["RawEnvironment"]["properties"]) == ENVIRONMENT


def test_every_key_has_a_field() -> None:
    assert fields() == (ENVIRONMENT | TOP_LEVEL) - {"env"}


def test_inheritance_is_wranglers(validator: str) -> None:
    call = r"\b%s\(\s*diagnostics,\s*topLevelEnv,\s*(?:rawConfig,\s*)?(?:rawEnv|\w+\(diagnostics, rawEnv\)),"
    inherited = set(re.findall(call % "inheritable" + r'\s*"(\w+)"', validator))
    not_inherited = set(re.findall(call % "notInheritable" + r'\s*envName,\s*"(\w+)"', validator))
    # These go through functions of their own that end in inheritable().
    elsewhere = {"assets", "build", "limits", "placement", "route", "routes", "rules", "tsconfig"}
    assert inherited | elsewhere == INHERITABLE
    assert not_inherited == NOT_INHERITABLE
    assert not INHERITABLE & NOT_INHERITABLE


def test_our_inheritance_covers_every_binding() -> None:
    # What is left is no binding: build constants, listeners, and a retired product.
    assert {"define", "connect", "cloudchamber"} == NOT_INHERITABLE - INHERITED


def known(annotation: Any, keys: set[str]) -> set[str] | None:
    """The keys of the model inside `annotation`; None for a table that is open on our side."""
    for inner in (annotation, *get_args(annotation), *(a for x in get_args(annotation) for a in get_args(x))):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return {info.alias or name for name, info in inner.model_fields.items()}
    return None


def test_every_binding_key_of_the_schema_is_typed(schema: dict[str, Any]) -> None:
    missing = {}
    for key, value in schema["RawConfig"]["properties"].items():
        shape = value.get("items", value)
        properties = set(shape.get("properties", {}))
        for option in shape.get("anyOf", []):
            properties |= set(option.get("properties", {}))
        field = next((f for n, f in WranglerConfig.model_fields.items() if (f.alias or n) == key), None)
        ours = known(field.annotation, properties) if field else None
        if ours is not None and key != "containers" and properties - ours:
            missing[key] = properties - ours
    assert not missing


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("kv_namespace", '"kv_namespaces"'),
        ("compatability_date", '"compatibility_date"'),
        ("d1-databases", '"d1_databases"'),
        ("zzz", ""),
    ],
)
def test_did_you_mean(word: str, said: str) -> None:
    assert said in closest(word, KNOWN)
    assert bool(said) == bool(closest(word, KNOWN))
