from __future__ import annotations

import pytest

from tests.release.conftest import Desk
from trailboss.errors import ReleaseError
from trailboss.release.outcomes import DeployOptions, Outcome
from trailboss.release.upload import upload_version
from trailboss.release.versions import list_versions


def test_a_version_without_traffic(desk: Desk) -> None:
    desk.write(preview_urls=True, triggers={"crons": ["* * * * *"]})
    live = desk.deploy().workers[0]
    desk.write(text="two", preview_urls=True, triggers={"crons": ["1 1 1 1 1"]})
    worker = desk.project().workers[0]
    report = desk.run(lambda cloud: upload_version(worker, cloud, DeployOptions(tag="rc", alias="review")))
    assert (report.outcome, report.version_number, report.shape) == (Outcome.UPLOADED, 2, "version")
    assert report.previous_version_id == live.version_id
    assert report.preview_url and report.preview_url.split("://")[1].startswith(str(report.version_id)[:8])
    assert report.alias_url and "://review-hello." in report.alias_url
    listed = desk.run(lambda cloud: list_versions(cloud, "hello")).versions
    assert [(item.tag, item.alias, item.share) for item in listed] == [
        ("rc", "review", None),
        (None, None, 100),
    ]
    assert desk.account.worker("hello").text.startswith("one")
    assert not any("schedules" in call for call in desk.writes)


def test_the_first_upload_must_be_a_deploy(desk: Desk) -> None:
    desk.write()
    worker = desk.project().workers[0]
    with pytest.raises(ReleaseError) as caught:
        desk.run(lambda cloud: upload_version(worker, cloud))
    assert caught.value.code == "TB4100" and desk.writes == []


def test_dry_run(desk: Desk) -> None:
    desk.write()
    worker = desk.project().workers[0]
    report = desk.run(lambda cloud: upload_version(worker, cloud, DeployOptions(dry_run=True)))
    assert report.outcome is Outcome.PLANNED and desk.writes == []
