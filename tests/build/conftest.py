"""What the tests of this room share: wrangler, the corpus and its dry runs, a cache of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build import corpus
from tests.build.corpus import Case
from trailboss.build import BuildCache
from trailboss.build.wrangler import Wrangler, find


@pytest.fixture(scope="session")
def wrangler() -> Wrangler:
    return find(Path(__file__).parent)


@pytest.fixture(scope="session")
def kept(pytestconfig: pytest.Config) -> Path:
    """A folder that outlives the test run."""
    return Path(pytestconfig.cache.mkdir("build-corpus"))


@pytest.fixture(scope="session")
def cases(kept: Path, wrangler: Wrangler) -> dict[str, Case]:
    return corpus.dry_runs(kept / "dry-runs", wrangler)


@pytest.fixture
def cache(tmp_path: Path) -> BuildCache:
    return BuildCache(tmp_path / "cache")
