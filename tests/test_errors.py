"""Error codes: in the range of their class, one meaning each, and all of them on the reference page."""

from __future__ import annotations

from collections import defaultdict

from tests.errors_reference import PAGE, page, uses
from trailboss import errors

RANGES = {
    "ConfigError": "1",
    "CloudError": "2",
    "BuildError": "3",
    "ReleaseError": "4",
    "SandboxError": "5",
    "PlanError": "6",
    "SecretError": "7",
    "UsageError": "9",
}


def test_codes_are_in_the_range_of_their_class() -> None:
    strays = [
        use.place
        for use in uses()
        for ancestor in getattr(errors, use.kind, Exception).__mro__
        if (digit := RANGES.get(ancestor.__name__)) and use.code[2] not in (digit, "9")
    ]
    assert not strays


def test_a_code_belongs_to_one_class() -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for use in uses():
        if hasattr(errors, use.kind):
            kinds[use.code].add(use.kind)
    assert not {code: found for code, found in kinds.items() if len(found) > 1}


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.errors_reference`"
