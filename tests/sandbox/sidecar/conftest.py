"""Fixtures: one side-car per test module, because starting one costs most of a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.sidecar.driver import ControlPlane, Sidecar


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sidecar")


@pytest.fixture(scope="module")
def sidecar(plane: ControlPlane, folder: Path) -> Iterator[Sidecar]:
    sidecar = Sidecar(folder, plane, {"linger_ms": 300})
    yield sidecar
    sidecar.stop()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
