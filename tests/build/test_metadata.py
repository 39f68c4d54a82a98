"""The parts of the metadata that the corpus cannot reach, and the rules around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.corpus import SOURCE, Case
from tests.build.projects import load, make
from trailboss.build import Options, needs_wrangler
from trailboss.build.metadata import annotations, bindings, lifecycle
from trailboss.build.metadata.compose import placement
from trailboss.build.multipart import Part, parse
from trailboss.build.shape import Facts, choose
from trailboss.cloud.multipart import Multipart
from trailboss.cloud.multipart import Part as Sent
from trailboss.errors import BuildError

STEPS = [{"tag": "v1", "new_classes": ["A"]}, {"tag": "v2", "deleted_classes": ["A"]}]


@pytest.mark.parametrize(
    ("deployed", "expected"),
    [
        (None, {"new_tag": "v2", "steps": [{"new_classes": ["A"]}, {"deleted_classes": ["A"]}]}),
        ("v1", {"old_tag": "v1", "new_tag": "v2", "steps": [{"deleted_classes": ["A"]}]}),
        ("v2", None),
        (
            "gone",
            {
                "old_tag": "gone",
                "new_tag": "v2",
                "steps": [{"new_classes": ["A"]}, {"deleted_classes": ["A"]}],
            },
        ),
    ],
)
def test_pending_migrations(deployed: str | None, expected: dict[str, Any] | None) -> None:
    assert lifecycle.pending_migrations(STEPS, deployed) == expected


def test_no_migrations_are_never_pending() -> None:
    assert lifecycle.pending_migrations([], "v1") is None


def test_shape_is_a_version_only_for_an_existing_plain_module_worker() -> None:
    assert choose(Facts(exists=True, modules=True)) == "version"
    assert choose(Facts(exists=False, modules=True)) == "script"
    assert choose(Facts(exists=True, modules=False)) == "script"
    for name in ("migrations", "durable_object_exports", "containers", "first_party", "dispatch_namespace"):
        assert choose(Facts(exists=True, modules=True, **{name: True})) == "script"


@given(st.text(max_size=1200), st.integers(0, 2**256 - 1))
def test_message_keeps_digest_and_number(text: str, number: int) -> None:
    digest, nonce = f"sha256:{number:064x}", annotations.draw()
    written = annotations.write_message(text, digest, nonce)
    origin = annotations.read_message(written)
    assert len(written.encode("utf-8", "replace")) <= annotations.MESSAGE_BYTES
    assert (origin.digest, origin.nonce) == (digest, nonce)
    assert text.strip().startswith(origin.text)


def test_other_messages_are_left_alone() -> None:
    assert annotations.read_message("by hand [1]") == annotations.Origin("by hand [1]", None, None)
    assert annotations.read_message(None).text == ""


def test_unusable_bindings_name_the_key() -> None:
    for settings in (
        {"kv_namespaces": [{"id": "x"}]},
        {"kv_namespaces": ["x"]},
        {"unsafe": {"bindings": [{"name": "A"}]}},
        {"queues": []},
        {"durable_objects": {"bindings": [{"class_name": "A"}]}},
    ):
        if settings == {"queues": []}:
            assert bindings.collect(settings) == {}
            continue
        with pytest.raises(BuildError) as caught:
            bindings.collect(settings, Path("wrangler.json"))
        assert caught.value.code == "TB3401"


def test_placement_nowhere() -> None:
    assert placement(None) is None
    assert placement({}) is None
    assert placement({"host": "db:5432"}) == {"mode": "targeted", "host": "db:5432"}


WRANGLERS_OWN = [
    {"containers": [{"class_name": "A", "image": "./Dockerfile"}]},
    {"site": {"bucket": "public"}},
    {"unsafe": {"metadata": {"a": 1}}},
    {"unsafe": {"capnp": {"compiled_schema": "x"}}},
    {"first_party_worker": True},
    {"addresses": ["a@example.com"]},
    {"binding_of_tomorrow": [{"binding": "A"}]},
]


@pytest.mark.parametrize("settings", WRANGLERS_OWN, ids=lambda value: next(iter(value)))
def test_what_is_left_to_wrangler(settings: dict[str, Any]) -> None:
    worker = Case(SOURCE / "esm-js").worker
    worker.raw.update(settings)
    assert needs_wrangler(worker)


@pytest.mark.xdist_group("build-corpus")
@pytest.mark.timeout(600)
def test_what_is_not(cases: dict[str, Case]) -> None:
    assert [name for name, case in cases.items() if needs_wrangler(case.worker, case.options)] == []


def test_python_packages_are_left_to_wrangler(tmp_path: Path) -> None:
    config = '{"name": "p", "main": "entry.py", "compatibility_flags": ["python_workers"]}'
    folder = make(tmp_path, {"wrangler.json": config, "entry.py": "", "python_modules/x.py": ""})
    assert needs_wrangler(load(folder))


def test_flags_are_laid_over_the_configuration() -> None:
    settings = {"define": {"A": "1"}, "assets": {"binding": "B"}, "name": "a"}
    merged = Options(name="b", define={"C": "2"}, bundle=False, assets=Path("x"), minify=True).over(settings)
    assert merged == {
        "name": "b",
        "define": {"A": "1", "C": "2"},
        "no_bundle": True,
        "minify": True,
        "assets": {"binding": "B", "directory": "x"},
    }
    assert Options().over(settings) == settings
    assert Options().build_arguments() == []


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_form_is_read_as_it_was_written(contents: list[bytes]) -> None:
    parts = [Sent(f"n{i}", data, f'f"{i}.js', "text/plain") for i, data in enumerate(contents)]
    read = parse(Multipart([Sent("metadata", "{}"), *parts]).as_bytes())
    assert read[0] == Part("metadata", None, None, b"{}")
    assert [(part.filename, part.content) for part in read[1:]] == [
        (f'f"{i}.js', data) for i, data in enumerate(contents)
    ]


@pytest.mark.parametrize("body", [b"", b"x", b"--b\r\n", b"--b\r\n\r\n--b--", b"--b\r\nA: b\r\n\r\nx\r\n--b"])
def test_incomplete_form_is_refused(body: bytes) -> None:
    with pytest.raises(BuildError) as caught:
        parse(body)
    assert caught.value.code == "TB3106"
