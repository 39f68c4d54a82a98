from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trailboss.release.order import callees_first, calls


def order(**settings: dict[str, Any]) -> list[str]:
    return list(callees_first(list(settings), name=str, settings=lambda name: settings[name]))


def test_a_worker_comes_after_those_it_calls() -> None:
    found = order(
        web={"services": [{"binding": "API", "service": "api"}]},
        api={"durable_objects": {"bindings": [{"name": "R", "class_name": "R", "script_name": "rooms"}]}},
        rooms={"tail_consumers": [{"service": "logs"}]},
        logs={},
    )
    assert found == ["logs", "rooms", "api", "web"]


def test_the_given_order_otherwise() -> None:
    assert order(b={}, a={}, c={"services": [{"service": "elsewhere"}]}) == ["b", "a", "c"]


def test_workflows_of_another_worker() -> None:
    assert calls({"workflows": [{"name": "w", "script_name": "jobs"}, {"name": "own"}]}) == ("jobs",)


@given(edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_nobody_is_lost_even_in_circles(edges: list[tuple[int, int]]) -> None:
    settings: dict[str, dict[str, Any]] = {str(number): {"services": []} for number in range(8)}
    for caller, callee in edges:
        settings[str(caller)]["services"].append({"service": str(callee)})
    assert sorted(order(**settings)) == sorted(settings)
