"""Our request and wrangler's are equal, field by field, for every project of the corpus."""

from __future__ import annotations

import json

import pytest

from tests.build.corpus import NAMES, Case
from trailboss.build import preview
from trailboss.build.artifact import seal
from trailboss.build.assets import scan
from trailboss.build.bundle import collect
from trailboss.build.making import code_of
from trailboss.build.metadata.bindings import ORDER, WIRE
from trailboss.build.multipart import Part, parse
from trailboss.build.normalise import portable
from trailboss.build.subject import Subject
from trailboss.build.wrangler import Wrangler

# The first run starts wrangler for every project: one test process does it, with time to spare.
pytestmark = [pytest.mark.xdist_group("build-corpus"), pytest.mark.timeout(600)]

# Wrangler's dry run of a Worker without code shows a stand-in script that its real upload leaves out.
WITHOUT_CODE = {"assets-only"}


def test_the_corpus_is_large_enough() -> None:
    assert len(NAMES) >= 40


def test_the_corpus_has_every_binding_type(cases: dict[str, Case]) -> None:
    seen = set()
    for case in cases.values():
        form = parse((case.folder.parent / "form").read_bytes())
        metadata = json.loads(next(part for part in form if part.name == "metadata").content)
        seen |= {entry["type"] for entry in metadata["bindings"]}
    renamed = {"pipeline": "pipelines", "unsafe_hello_world": "unsafe_hello_world"}
    only_with_a_terminal_or_retired = {"secret_text", "analytics", "k2"}
    wanted = {renamed.get(kind, kind) for kind in ORDER} - only_with_a_terminal_or_retired
    assert wanted <= seen
    assert set(ORDER) == set(WIRE)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_CODE])
def test_our_form_is_wranglers(name: str, cases: dict[str, Case], wrangler: Wrangler) -> None:
    case = cases[name]
    subject = Subject.of(case.worker, case.options)
    code = code_of(collect(subject, wrangler, case.folder.parent), wrangler)
    directory = subject.assets_directory
    assets = scan(directory, subject.settings["assets"]) if directory else None

    ours = parse(preview(case.worker, seal(code, assets), case.options).as_bytes())
    theirs = portable(parse((case.folder.parent / "form").read_bytes()), wrangler, subject.base)

    assert [part.name for part in ours] == [part.name for part in theirs]
    for mine, yours in zip(ours, theirs, strict=True):
        compare(mine, yours)


def compare(mine: Part, yours: Part) -> None:
    if mine.name == "metadata":
        left, right = json.loads(mine.content), json.loads(yours.content)
        assert left == right
        assert list(left) == list(right)
        assert [list(entry) for entry in left["bindings"]] == [list(entry) for entry in right["bindings"]]
    else:
        assert mine == yours
