"""Every way to name a version, and the refusal to guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.release.catalogues import catalogue, deployment, identifier, version
from trailboss.errors import ReleaseError
from trailboss.release.draft import MESSAGE
from trailboss.release.naming import nearest, previous, resolve

SHA = "3f2a9c1b5d7e8f0a1b2c3d4e5f60718293a4b5c6"
ONE = version(1, tag="first", git_sha="a" * 40)
TWO = version(2, alias="review", git_sha=SHA)
TEN = version(10, tag="release-2")
ALL = catalogue(
    ONE,
    TWO,
    TEN,
    deployments=(deployment(3, (TEN, 100)), deployment(2, (ONE, 50), (TWO, 50)), deployment(1, (TWO, 100))),
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("v10", TEN),
        ("V2", TWO),
        (TWO.id, TWO),
        (TWO.id.upper(), TWO),
        (TWO.id[:8], TWO),
        (TWO.id[:13], TWO),
        (SHA, TWO),
        (SHA[:7], TWO),
        ("first", ONE),
        ("release-2", TEN),
        ("review", TWO),
        ("latest", TEN),
        ("previous", TWO),
        ("  v1  ", ONE),
    ],
)
def test_names(word: str, expected: object) -> None:
    assert resolve(word, ALL) == expected


@pytest.mark.parametrize("word", ["v3", "v", "12", "", "nothing", SHA[:6], TWO.id[:3], "releaze-2"])
def test_unknown(word: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        resolve(word, ALL)
    assert caught.value.code == "TB4001"
    assert "versions list" in caught.value.hint


def test_unknown_names_the_nearest() -> None:
    with pytest.raises(ReleaseError, match="No version") as caught:
        resolve("v11", ALL)
    assert "v10" in caught.value.hint
    assert nearest("releaze-2", ALL)[0] == "release-2"
    assert nearest("v3", ALL)[0] == "v2"


def test_nothing_uploaded() -> None:
    with pytest.raises(ReleaseError) as caught:
        resolve("v1", catalogue())
    assert "deploy it first" in caught.value.hint


def test_a_tag_that_looks_like_another_versions_number_is_refused() -> None:
    both = catalogue(version(1, tag="v2"), version(2))
    with pytest.raises(ReleaseError) as caught:
        resolve("v2", both)
    assert caught.value.code == "TB4002"
    assert "v1" in caught.value.message and "v2" in caught.value.message


def test_one_commit_uploaded_twice_is_refused_with_the_list() -> None:
    twice = catalogue(version(4, git_sha=SHA), version(5, git_sha=SHA))
    with pytest.raises(ReleaseError) as caught:
        resolve(SHA[:10], twice)
    assert caught.value.code == "TB4002"
    assert "v4" in caught.value.message and "v5" in caught.value.message


def test_no_previous() -> None:
    with pytest.raises(ReleaseError) as caught:
        resolve("previous", catalogue(ONE, deployments=(deployment(1, (ONE, 100)),)))
    assert caught.value.code == "TB4003"


def test_previous_skips_splits_and_what_is_live() -> None:
    history = (
        deployment(4, (TEN, 100)),
        deployment(3, (TEN, 100)),
        deployment(2, (ONE, 10), (TEN, 90)),
        deployment(1, (ONE, 100)),
    )
    assert previous(catalogue(ONE, TEN, deployments=history)) == ONE


def test_previous_of_a_split_is_what_was_whole_before_it() -> None:
    history = (deployment(2, (ONE, 90), (TEN, 10)), deployment(1, (ONE, 100)))
    assert previous(catalogue(ONE, TEN, deployments=history)) == ONE


@given(numbers=st.sets(st.integers(1, 400), min_size=1, max_size=40), data=st.data())
def test_every_version_is_reached_by_number_and_id(numbers: set[int], data: st.DataObject) -> None:
    versions = [version(number) for number in numbers]
    everything = catalogue(*versions)
    wanted = data.draw(st.sampled_from(versions))
    assert resolve(f"v{wanted.number}", everything) == wanted
    assert resolve(wanted.id, everything) == wanted


@given(
    numbers=st.sets(st.integers(1, 400), min_size=1, max_size=40), length=st.integers(4, 36), data=st.data()
)
def test_a_prefix_gives_its_version_or_says_which_it_could_be(
    numbers: set[int], length: int, data: st.DataObject
) -> None:
    versions = [version(number) for number in numbers]
    prefix = data.draw(st.sampled_from(versions)).id[:length]
    sharing = [item for item in versions if item.id.startswith(prefix)]
    if len(sharing) == 1:
        assert resolve(prefix, catalogue(*versions)) == sharing[0]
    else:
        with pytest.raises(ReleaseError) as caught:
            resolve(prefix, catalogue(*versions))
        assert caught.value.code == "TB4002"


@given(word=st.text(max_size=60))
def test_no_word_is_a_crash(word: str) -> None:
    try:
        assert resolve(word, ALL) in ALL.versions
    except ReleaseError as error:
        assert error.code in ("TB4001", "TB4002", "TB4003")


def test_identifiers_of_tests_are_version_ids() -> None:
    assert len(identifier("x")) == 36


def test_nothing_goes_back_to_a_draft_by_itself() -> None:
    draft, secret, first = version(1, message=MESSAGE), version(2, source="secret change"), version(3)
    moves = (deployment(3, (first, 100)), deployment(2, (secret, 100)), deployment(1, (draft, 100)))
    assert previous(catalogue(draft, secret, first, deployments=moves)) is None
    assert resolve("v2", catalogue(draft, secret, first, deployments=moves)) == secret
