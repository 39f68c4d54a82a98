"""D1 databases whose list does not tell everything, as Cloudflare's published one."""

from __future__ import annotations

from trailboss.resources.d1_database import KIND, D1Database
from trailboss.resources.marks import differences

LISTED = {"name": "db", "uuid": "6f5f0a12-9f5e-4d6a-8b52-0a0d0e0f1a2b", "version": "production"}


def test_replication_that_is_not_shown_is_no_difference_and_is_sent_when_the_file_changes() -> None:
    spec, listed = D1Database("db", read_replication="auto"), KIND.from_wire(LISTED)
    assert KIND.differs(spec, listed) == ()
    assert [change.field for change in differences(spec, listed)] == ["read_replication"]
    shown = KIND.from_wire({**LISTED, "read_replication": {"mode": "disabled"}})
    assert [change.found for change in KIND.differs(spec, shown)] == ["disabled"]
