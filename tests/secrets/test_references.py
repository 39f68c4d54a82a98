from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onepassword import Secrets

from trailboss.errors import SecretError
from trailboss.secrets.expanding import Variables
from trailboss.secrets.reference import Reference
from trailboss.secrets.references import Pointer, Template, Text, Variable, parse
from trailboss.values import Secret

NAME = st.from_regex(r"[A-Za-z0-9_.-]([A-Za-z0-9_. -]{0,12}[A-Za-z0-9_.-])?", fullmatch=True)
QUERY = st.sampled_from([None, ("attribute", "otp"), ("ssh-format", "openssh")])
REFERENCE = st.builds(Reference, NAME, NAME, st.none() | NAME, NAME, QUERY)


def pieces(text: str, environ: dict[str, str] | None = None, *, literal: bool = False) -> list[str]:
    found = Variables(environ or {}).pieces(parse(text, literal=literal), {})
    return [piece.reveal() if isinstance(piece, Secret) else str(piece) for piece in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("op://v/i/f", ["op://v/i/f"]),
        ("  op://v/i/f ", ["op://v/i/f"]),
        ("'op://My Vault/an item/a field'", ["op://My Vault/an item/a field"]),
        ("op://v/i/s/f?attribute=otp", ["op://v/i/s/f?attribute=otp"]),
        ("op://v-$ENV/i ${WHO:-me}/${F}", ["op://v-prod/i me/f"]),
        ("postgres://u:op://v/i/f@h/db", ["postgres://u:", "op://v/i/f", "@h/db"]),
        (
            "a{{ op://My Vault/i/f }}b{{op://v-${ENV}/i/f}}",
            ["a", "op://My Vault/i/f", "b", "op://v-prod/i/f"],
        ),
        ("${ENV}-${NOPE:-}-${NOPE:-${ENV}}", ["prod", "-", "-", "prod"]),
        ("${NOPE:-op://v/i/f}", ["op://v/i/f"]),
        ("${EMPTY:-full}", ["full"]),
        ("${POINTS}", ["op://v/i/f"]),
        ("$${ENV} \\op://v/i/f shop://v/i/f", ["${ENV} op://v/i/f shop://v/i/f"]),
        ("write op:// first, {{ mustache }} and $HOME, ${ x }", None),
        ("", []),
    ],
)
def test_pieces(text: str, expected: list[str] | None) -> None:
    environ = {"ENV": "prod", "F": "f", "EMPTY": "", "POINTS": "op://v/i/f"}
    assert pieces(text, environ) == ([text] if expected is None else expected)


def test_in_single_quotes_only_a_whole_reference_counts() -> None:
    assert pieces("op://v/i/f", literal=True) == ["op://v/i/f"]
    assert pieces("${X} op://v/i/f", literal=True) == ["${X} op://v/i/f"]
    with pytest.raises(SecretError, match="may not stand"):
        pieces("op://v/$X/f", literal=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("op://v", "too few parts"),
        ("op://v/i/s/f/g", "too many parts"),
        ("op://v//f", "empty"),
        ("op://v/i/f@x", "'@' may not stand"),
        ("op://v/i/é", "'é' may not stand"),
        ("op://v/i/f?x=1", "after ?"),
        ("12345{{ op://v }}", "At character 9"),
        ("${A:-never", "never closed"),
        ("op://${PATHS}/f", "too many parts"),
        ("op://${POINTS}/i/f", "inside of a reference"),
    ],
)
def test_malformed(text: str, says: str) -> None:
    with pytest.raises(SecretError, match="character") as caught:
        pieces(text, {"PATHS": "a/b/c/d", "POINTS": "op://v/i/f"})
    assert caught.value.code == "TB7020"
    assert says in caught.value.message


def test_places() -> None:
    variable = parse("ab${X}").parts[1]
    assert isinstance(variable, Variable) and variable.at == 2
    nested = parse("${X:-a${Y}}").parts[0]
    assert isinstance(nested, Variable) and nested.default is not None
    assert nested.default.parts[1] == Variable("Y", 6)
    pointer = parse("ab{{ op://v/$X/f }}").parts[1]
    assert isinstance(pointer, Pointer) and pointer.at == 5
    assert pointer.inside.parts[1] == Variable("X", 12)


def test_variables_in_a_circle() -> None:
    from trailboss.secrets.dotenv import Entry

    entries = {"A": Entry("${B}", 1, False), "B": Entry("${A}", 2, False), "C": Entry("${C}", 3, False)}
    with pytest.raises(SecretError, match="A -> B -> A") as caught:
        Variables({}, entries).pieces(parse("${A}"), {})
    assert caught.value.code == "TB7051"
    missing: dict[str, None] = {}
    Variables({}, entries).pieces(parse("${C}"), missing)
    assert list(missing) == ["C"]


@given(reference=REFERENCE)
def test_a_reference_is_read_back_as_it_was_written(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference
    assert pieces(f"{{{{ {reference} }}}}") == pieces(str(reference)) == [str(reference)]


@given(reference=REFERENCE)
def test_what_we_accept_1password_accepts(reference: Reference) -> None:
    """The official SDK's own parser, which works offline."""
    Secrets.validate_secret_reference(str(reference))


@given(text=st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except SecretError as error:
        assert error.code == "TB7020"
    else:
        assert "op://" in text or "${" in text or found == Template((Text(text),) if text else ())


@given(
    parts=st.lists(st.sampled_from(["${A}", "x y", "$${", "{{ op://v/i/f }}", "\n", "}", "{"]), max_size=8)
)
def test_pieces_keep_their_order(parts: list[str]) -> None:
    meaning = {"${A}": "<a>", "$${": "${", "{{ op://v/i/f }}": "op://v/i/f"}
    assert "".join(pieces("".join(parts), {"A": "<a>"})) == "".join(meaning.get(p, p) for p in parts)


def test_a_template_does_not_show_its_text() -> None:
    assert "hunter2" not in repr(parse("hunter2 ${X} hunter2"))
