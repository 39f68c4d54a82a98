from __future__ import annotations

import pytest

from trailboss.errors import ReleaseError
from trailboss.release.evidence import Counting, Unit, choose_unit


def test_independent_requests_are_the_unit() -> None:
    assert choose_unit(sticky=False, keys=True) == Counting(Unit.REQUEST, 1.0)


def test_sticky_labels_make_the_key_the_unit() -> None:
    assert choose_unit(sticky=True, keys=True) == Counting(Unit.KEY, 1.0)


def test_sticky_requests_are_refused_unless_their_dispersion_is_known() -> None:
    with pytest.raises(ReleaseError) as caught:
        choose_unit(sticky=True, keys=False)
    assert caught.value.code == "TB4302"
    assert "phi" in caught.value.hint
    assert choose_unit(sticky=True, keys=False, phi=5) == Counting(Unit.REQUEST, 5)


def test_a_dispersion_below_one_is_no_dispersion() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        choose_unit(sticky=True, keys=False, phi=0.5)
