"""What is refused before it is deployed, and what is known of what is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.sidecar.driver import Sidecar, says, version, worker

CLASSES = """
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint, env } from "cloudflare:workers";
import text from "./note.txt";
import data from "./raw.bin";
import wasm from "./add.wasm";
if (env.MODE !== "x" || text !== "note" || data.byteLength !== 2) throw new Error("wrong modules");
new WebAssembly.Instance(wasm);
export class Counter extends DurableObject { fetch() {} alarm() {} }
export class Api extends WorkerEntrypoint { fetch() {} }
export class Flow extends WorkflowEntrypoint { run() {} }
export const helper = () => 1;
export const VALUE = 1;
export default { fetch() {}, scheduled() {}, queue() {}, email() {}, tail() {} };
"""


def _validate(sidecar: Sidecar, folder: Path, code: str, **more: Any) -> Any:
    return sidecar.done("POST", "/validate", worker(folder, "candidate", code, **more))


def test_exports_are_found(sidecar: Sidecar, folder: Path) -> None:
    files = {"note.txt": b"note", "raw.bin": b"\x00\x01", "add.wasm": bytes.fromhex("0061736d01000000")}
    types = {"txt": "text/plain", "bin": "application/octet-stream", "wasm": "application/wasm"}
    objects = [{"class_name": "Counter", "namespace_id": "c" * 32, "sqlite": True}]
    bindings = [{"name": "MODE", "type": "plain_text", "text": "x"}]
    entry = worker(folder, "classes", CLASSES, bindings=bindings, durable_objects=objects)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        kind = types[name.rsplit(".", 1)[1]]
        entry["modules"].append({"name": name, "type": kind, "path": str(folder / name)})
    found = sidecar.done("POST", "/validate", entry)
    assert found["ok"], found
    assert found["handlers"] == ["fetch", "scheduled", "queue", "email", "tail"]
    assert {entry["name"]: entry["kind"] for entry in found["classes"]} == {
        "Api": "worker",
        "Counter": "durable-object",
        "Flow": "workflow",
    }
    named = {entry["name"]: entry["handlers"] for entry in found["named_handlers"]}
    assert named == {"Api": ["class", "fetch"], "Counter": ["class", "fetch", "alarm"], "Flow": ["class"]}
    assert isinstance(found["startup_time_ms"], int)


def test_mail_is_a_module_of_the_runtime(sidecar: Sidecar, folder: Path) -> None:
    """A library may import it where no binding sends mail."""
    code = """import { EmailMessage } from "cloudflare:email";
    new EmailMessage("a@x.test", "b@x.test", "raw");
    export default { fetch() {} };"""
    assert _validate(sidecar, folder, code)["ok"]


def test_a_class_as_default_export(sidecar: Sidecar, folder: Path) -> None:
    code = """
        import { WorkerEntrypoint } from "cloudflare:workers";
        export default class extends WorkerEntrypoint { fetch() {} }
    """
    assert _validate(sidecar, folder, code)["handlers"] == ["fetch"]


@pytest.mark.parametrize(
    ("code", "message", "place"),
    [
        ("export default {\n  fetch( }\n};", "Uncaught SyntaxError: Unexpected token '}'", "index.js:2:9"),
        (
            "const a = 1;\nthrow new TypeError('no');\nexport default {};",
            "Uncaught TypeError: no",
            "index.js:2:7",
        ),
        ('import x from "./gone.js"; export default {};', 'No such module "gone.js"', 'from "index.js"'),
        (
            'import { nope } from "node:buffer"; export default {};',
            "does not provide an export named 'nope'",
            "index.js:1",
        ),
        ('await fetch("http://x"); export default {};', "not allowed within global scope", "index.js:1:7"),
    ],
)
def test_what_does_not_start(sidecar: Sidecar, folder: Path, code: str, message: str, place: str) -> None:
    found = _validate(sidecar, folder, code, compatibility_flags=["nodejs_compat"])
    assert found["ok"] is False
    assert message in found["message"] and place in found["message"]
    assert "probe" not in found["message"] and "file:" not in found["message"]


def test_a_missing_class_or_main_module(sidecar: Sidecar, folder: Path) -> None:
    objects = [{"class_name": "Gone", "namespace_id": "c" * 32, "sqlite": True}]
    found = _validate(sidecar, folder, says("x"), durable_objects=objects)
    assert (found["ok"], found["kind"]) == (False, "missing_export") and '"Gone"' in found["message"]
    assert _validate(sidecar, folder, says("x"), main="other.js")["kind"] == "missing_main"


def test_service_workers_and_assets(sidecar: Sidecar, folder: Path) -> None:
    code = 'addEventListener("fetch", (event) => event.respondWith(new Response("x")));'
    assert _validate(sidecar, folder, code, format="service-worker")["handlers"] == ["fetch"]
    broken = _validate(sidecar, folder, "addEventListener(", format="service-worker")
    assert broken["ok"] is False and broken["message"].startswith("Uncaught SyntaxError")
    assert _validate(sidecar, folder, "", format="assets")["handlers"] == []


def test_a_start_that_never_ends(sidecar: Sidecar, folder: Path) -> None:
    found = _validate(sidecar, folder, "while (true) {}\nexport default {};")
    assert found == {**found, "ok": False, "message": "Script startup exceeded CPU time limit."}
    assert _validate(sidecar, folder, says("fine"))["ok"]


def test_it_is_quick_and_real(sidecar: Sidecar, folder: Path) -> None:
    slow = (
        "let sum = 0; for (let i = 0; i < 1e8; i += 1) sum += i; export default { fetch() { return sum; } };"
    )
    assert _validate(sidecar, folder, slow)["startup_time_ms"] > 20
    assert version(1) == worker(folder, "a", says("a"))["version"]
