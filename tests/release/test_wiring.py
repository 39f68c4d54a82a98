from __future__ import annotations

from trailboss.release.wiring import fingerprint

BASE = {
    "name": "hello",
    "vars": {"A": "1"},
    "kv_namespaces": [{"binding": "KV"}],
    "compatibility_date": "2026-01-01",
}


def test_the_same_settings_have_the_same_fingerprint_in_any_order() -> None:
    assert fingerprint(BASE) == fingerprint(dict(reversed(BASE.items())))


def test_what_is_in_a_version_counts() -> None:
    for change in (
        {"vars": {"A": "2"}},
        {"kv_namespaces": [{"binding": "KV", "id": "1"}]},
        {"limits": {"cpu_ms": 50}},
        {"queues": {"producers": [{"binding": "Q", "queue": "q"}]}},
        {"a_key_of_the_future": True},
    ):
        assert fingerprint({**BASE, **change}) != fingerprint(BASE)


def test_what_is_in_no_version_does_not() -> None:
    for change in (
        {"main": "other.js"},
        {"routes": ["example.com/*"]},
        {"triggers": {"crons": ["* * * * *"]}},
        {"queues": {"consumers": [{"queue": "q"}]}},
        {"observability": {"enabled": True}},
        {"workers_dev": False},
        {"r2_buckets": []},
        {"keep_vars": False},
    ):
        assert fingerprint({**BASE, **change}) == fingerprint(BASE)
