"""Ports that are free, taken, or not to be had."""

from __future__ import annotations

import os
import socket

import pytest

from trailboss.develop.ports import free_port, need_port
from trailboss.errors import UsageError


def test_a_free_port_is_fine() -> None:
    need_port(free_port())
    need_port(free_port(), "*")


def test_a_taken_port_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for address in ("localhost", "127.0.0.1", "0.0.0.0"):
            with pytest.raises(
                UsageError, match=rf"port {port} is taken by .*\(pid {os.getpid()}\)"
            ) as caught:
                need_port(port, address)
            assert caught.value.code == "TB9460"


def test_an_address_of_nobody_is_said() -> None:
    for address in ("no-such-host.invalid", "203.0.113.9"):
        with pytest.raises(UsageError) as caught:
            need_port(free_port(), address)
        assert caught.value.code == "TB9461"
