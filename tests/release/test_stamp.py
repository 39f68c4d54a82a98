"""What a version says of its origin survives the way through two free texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trailboss.build.metadata.annotations import write_message
from trailboss.release.stamp import MESSAGE_BYTES, Stamp, read_stamp

DIGEST = "sha256:" + "ab" * 32


def annotated(stamp: Stamp) -> dict[str, str]:
    return {"workers/message": write_message(stamp.as_message(), DIGEST, "01234567")}


def test_there_and_back() -> None:
    stamp = Stamp("Fix the login", None, DIGEST, "0" * 16, "c" * 40, dirty=True)
    assert read_stamp(annotated(stamp)) == stamp


def test_without_words_and_without_a_commit() -> None:
    stamp = Stamp(digest=DIGEST, wiring="1" * 16)
    assert read_stamp(annotated(stamp)) == stamp


def test_somebody_elses_version() -> None:
    assert read_stamp({"workers/message": "by hand", "workers/tag": "t"}) == Stamp("by hand", "t")
    assert read_stamp({}) == Stamp()
    assert read_stamp({"workers/commit_sha": "d" * 40}).git_sha == "d" * 40


@given(message=st.text(min_size=1, max_size=1500))
def test_any_message_fits_and_leaves_the_marks_whole(message: str) -> None:
    stamp = Stamp(message, None, DIGEST, "2" * 16, "e" * 40)
    found = annotated(stamp)
    assert len(found["workers/message"].encode()) <= MESSAGE_BYTES
    read = read_stamp(found)
    assert (read.digest, read.wiring, read.git_sha) == (DIGEST, "2" * 16, "e" * 40)
