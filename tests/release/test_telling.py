"""Who is told what a guard sees."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.release.conftest import Desk
from trailboss.errors import ConfigError
from trailboss.release.guarded import Alarm, Guarded
from trailboss.release.rollout.tables import NotificationsTable
from trailboss.release.telling import Recipient, message, notify
from trailboss.values import Secret

EVENT = Guarded("shop", Alarm.ROLLED_BACK, "back to v4", 1.5, 20.0, 100, 9)


def test_programs_and_webhooks(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def main() -> tuple[str, ...]:
        async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readuntil(b"}"))
            writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hook, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        people = (
            Recipient("chat", Secret(f"http://127.0.0.1:{port}/secret-path")),
            Recipient("page", run='echo "$TRAILBOSS_ALARM $TRAILBOSS_WORKER $TRAILBOSS_FAILED" > told'),
            Recipient("later", run="exit 9", alarms=("burning",)),
            Recipient("gone", Secret("http://127.0.0.1:1/secret-path")),
            Recipient("ill", run="exit 3"),
        )
        async with server:
            return await notify(people, EVENT, "production", str(tmp_path))

    failed = asyncio.run(main())
    assert failed == ("gone was not told: ConnectError", "ill was not told: exit 3")
    assert (tmp_path / "told").read_text() == "rolled-back shop 9\n"
    body = json.loads(heard[0].split(b"\r\n\r\n", 1)[1])
    assert body == message(EVENT, "production")
    assert body["text"] == body["content"] == "shop (production): rolled-back: back to v4"


def test_one_way_each(desk: Desk) -> None:
    desk.write()
    (desk.folder / "trailboss.toml").write_text('[notifications.ops]\nalarms = ["burning"]\n')
    with pytest.raises(ConfigError) as caught:
        desk.project().section("notifications", NotificationsTable)
    assert "either url or run" in caught.value.message
