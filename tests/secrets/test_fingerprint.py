from __future__ import annotations

from trailboss.secrets.fingerprint import Fingerprints, key_id
from trailboss.values import Secret

VALUES = {"A": Secret("hunter2"), "B": Secret("hunter2"), "odd name:1": Secret("x" * 5000)}


def test_the_same_value_has_the_same_print_and_another_value_another() -> None:
    marks = Fingerprints.fresh().with_values(VALUES)
    assert marks.of(VALUES) == marks.prints
    assert marks.of({"A": Secret("hunter3")})["A"] != marks.prints["A"]
    assert all(len(text) == 4 for text in marks.prints.values())


def test_equal_values_look_different_everywhere() -> None:
    one, two = Fingerprints.fresh().with_values(VALUES), Fingerprints.fresh().with_values(VALUES)
    assert len({one.prints["A"], one.prints["B"], two.prints["A"], two.prints["B"]}) == 4


def test_text_and_back() -> None:
    marks = Fingerprints.fresh(Secret("k")).with_values(VALUES, Secret("k"))
    assert Fingerprints.read(marks.as_text()) == marks
    assert "hunter2" not in marks.as_text() + repr(marks)
    for text in ("", "2 salt -", "1", "nonsense of people"):
        assert Fingerprints.read(text) is None


def test_names_are_added_and_taken_away() -> None:
    marks = Fingerprints.fresh().with_values(VALUES)
    later = marks.with_values({"A": None, "C": Secret("c")})
    assert set(later.prints) == {"B", "odd name:1", "C"} and later.prints["B"] == marks.prints["B"]


def test_a_key_changes_every_print_and_another_key_drops_them() -> None:
    plain = Fingerprints.fresh().with_values(VALUES)
    keyed = Fingerprints(plain.salt, key_id(Secret("k"))).with_values(VALUES, Secret("k"))
    assert plain.prints.keys() == keyed.prints.keys() and plain.prints["A"] != keyed.prints["A"]
    assert set(keyed.with_values({"C": Secret("c")}, Secret("other")).prints) == {"C"}
    assert key_id(None) == "-" and key_id(Secret("a")) != key_id(Secret("b"))
