from __future__ import annotations

from tests.release.catalogues import deployment, version
from trailboss.release.model import made_by_us, read_deployment, read_version, tidy, with_shares


def test_a_version_from_the_wire() -> None:
    found = read_version(
        {
            "id": "abc",
            "number": 7,
            "metadata": {"created_on": "2026-11-01T00:00:00Z", "author_email": "a@b.c", "source": "wrangler"},
            "annotations": {"workers/message": "hi", "workers/tag": "t", "workers/triggered_by": "secret"},
        }
    )
    assert (found.label, found.source, found.message, found.tag, found.author) == (
        "v7",
        "secret change",
        "hi",
        "t",
        "a@b.c",
    )


def test_least_version() -> None:
    found = read_version({"id": "abcdefgh-1"})
    assert (found.label, found.source, found.digest) == ("abcdefgh", "unknown", None)


def test_a_deployment_from_the_wire() -> None:
    found = read_deployment(
        {
            "id": "d",
            "created_on": "x",
            "source": "api",
            "versions": [{"version_id": "a", "percentage": 90.0}, {"version_id": "b", "percentage": 10}],
        }
    )
    assert found.share_of("a") == 90 and found.share_of("c") is None and found.whole is None
    assert isinstance(found.share_of("a"), int)


def test_shares() -> None:
    one, two = version(1), version(2)
    shown = with_shares([two, one], deployment(1, (one, 100)))
    assert [item.share for item in shown] == [None, 100]
    assert tidy(0.5) == 0.5


def test_a_secret_written_later_does_not_hide_what_we_uploaded() -> None:
    ours, secret, again = (
        version(3, digest="sha256:x"),
        version(4, source="secret change"),
        version(5, source="secret change"),
    )
    assert made_by_us(again, (again, secret, ours)) == ours
    assert made_by_us(secret, (secret,)) == secret
    assert made_by_us(version(6, source="dash"), (ours,)).source == "dash"
