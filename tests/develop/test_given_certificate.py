"""Certificates of the user's own, and local files that were damaged: told before anything starts."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from trailboss.develop import certificate, given_certificate
from trailboss.develop.certificate import Pair, authority, certificate_for
from trailboss.develop.given_certificate import doubts_of, own_pair
from trailboss.errors import UsageError


def words(pair: Pair) -> list[str]:
    return ["--https-key-path", str(pair.key), f"--https-cert-path={pair.certificate}"]


def believing(root: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process trusts `root`, as a machine does after `dev trust`."""
    context = ssl.create_default_context(cafile=str(root.certificate))
    monkeypatch.setattr(given_certificate.ssl, "create_default_context", lambda: context)


def test_a_pair_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = certificate_for(("app.test",), tmp_path)
    assert own_pair([], tmp_path) is None
    assert own_pair(words(pair), tmp_path) == pair
    assert "unable to get local issuer" in doubts_of(pair, "localhost")
    believing(authority(tmp_path), monkeypatch)
    assert doubts_of(pair, "app.test") == doubts_of(pair, "0.0.0.0") == ""
    assert "not valid for 'other.test'" in doubts_of(pair, "other.test")


def test_one_whose_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "LEAF_DAYS", -1 / 1000)
    pair = certificate_for((), tmp_path)
    believing(authority(tmp_path), monkeypatch)
    with pytest.raises(UsageError, match="has expired") as caught:
        own_pair(words(pair), tmp_path)
    assert caught.value.code == "TB9465"


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    mine, other = certificate_for((), tmp_path / "a"), certificate_for((), tmp_path / "b")
    with pytest.raises(UsageError, match="KEY_VALUES_MISMATCH"):
        own_pair(words(Pair(mine.certificate, other.key)), tmp_path)
    root = authority(tmp_path / "a")
    for path, text in ((root.certificate, "no certificate"), (root.key, other.key.read_text())):
        before = path.read_text()
        path.write_text(text)
        with pytest.raises(UsageError, match="authority's files cannot be used") as caught:
            certificate_for((), tmp_path / "a")
        assert caught.value.code == "TB9486"
        assert path.read_text() == text, "it may be trusted: it is not replaced"
        path.write_text(before)
    mine.certificate.write_text("damaged")
    assert certificate_for((), tmp_path / "a").certificate.read_text() != "damaged"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        certificate_for((), tmp_path / "file")
    assert caught.value.code == "TB9486"
