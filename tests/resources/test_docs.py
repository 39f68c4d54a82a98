"""Every kind has its page, its case, its tests and its route file; the pages say what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kinds_reference import FOLDER, ROOT, pages
from tests.resources.kind_calls import lives
from tests.resources.kind_examples import expected, toml_of
from tests.resources.kind_facts import CLOUDFLARE, OF_WRANGLER, OTHER_ROUTE_FILES, TESTED_IN
from trailboss.config import Project
from trailboss.plan.wanted import wanted
from trailboss.resources.marks import is_path
from trailboss.resources.protocol import OfWorker, Shared
from trailboss.resources.registry import NAMES, kind

ROUTES = ROOT / "src" / "trailboss" / "sandbox" / "routes"
RUN = "run `python -m tests.kinds_reference`"


def test_the_pages_are_as_the_code_is() -> None:
    written = {file.name: file.read_text() for file in FOLDER.glob("*.md")}
    wanted_pages = pages()
    assert written.keys() == wanted_pages.keys(), RUN
    assert [name for name, text in wanted_pages.items() if written[name] != text] == [], RUN


def test_links_lead_somewhere() -> None:
    for file in FOLDER.glob("*.md"):
        for target in re.findall(r"\]\(([^):]+)\)", file.read_text()):
            assert (FOLDER / target).is_file(), f"{file.name}: {target}"


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_read_as_what_it_stands_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "migrations").mkdir()
    text = f'name = "shop"\n[zones]\nmain = "example.com"\n\n{toml_of(name)}\n'
    (tmp_path / "trailboss.toml").write_text(text)
    [one] = wanted(Project.load(tmp_path, environ={})).resources
    spec = expected(name)
    paths = [place.name for place in type(spec).__dataclass_fields__.values() if is_path(place)]
    assert one.spec == replace(spec, **{path: str(tmp_path / getattr(spec, path)) for path in paths})


def words(name: str) -> Iterator[str]:
    """The words of a name, in the singular."""
    for word in name.split("_"):
        yield re.sub(r"ies$", "y", word).removesuffix("s")


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_is_all_there(name: str) -> None:
    """One file each, under the same word: kind, case, test, page, and the routes of the sandbox."""
    own = f"tests/resources/kinds/test_{name}.py"
    places = (f"src/trailboss/resources/{name}.py", f"tests/resources/cases/{name}.py")
    for path in (*places, TESTED_IN.get(name, own), f"docs/resources/{name}.md"):
        assert (ROOT / path).is_file(), path
    files = lives()[name].routes
    assert files
    assert all((ROUTES / f"{file}.py").is_file() for file in files)
    shares = any(set(words(name)) & set(words(file)) for file in files)
    assert shares != (name in OTHER_ROUTE_FILES), f"{name} is answered by {', '.join(files)}"


def test_the_facts_are_of_kinds_that_exist() -> None:
    assert set(CLOUDFLARE) == set(NAMES)
    assert {name for name in NAMES if isinstance(kind(name).ownership, OfWorker | Shared)} == set(OF_WRANGLER)
    assert set(TESTED_IN) <= set(NAMES)
    assert set(OTHER_ROUTE_FILES) <= set(NAMES)
    unneeded = [name for name in TESTED_IN if (ROOT / f"tests/resources/kinds/test_{name}.py").is_file()]
    assert unneeded == []
