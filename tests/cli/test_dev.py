"""`trailboss dev`: which words wrangler gets. The server itself is in tests/develop."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Trailboss, point
from tests.cli.test_json_output import check
from tests.conftest import Sandbox
from trailboss.cli.run import Run

pytestmark = pytest.mark.xdist_group("port-8787")  # the one that dev takes by itself

FAKE = """
const fs = require("node:fs");
const args = process.argv.slice(2);
const at = args.indexOf("--config");
const config = at < 0 ? null : JSON.parse(fs.readFileSync(args[at + 1], "utf8"));
console.log(JSON.stringify({ args, config }));
"""


@pytest.fixture
def told(hello: Path) -> Path:
    """A project whose wrangler says what it was given, and ends."""
    _bring_own(hello)
    return hello


def _bring_own(folder: Path) -> None:
    package = folder / "node_modules" / "wrangler"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "wrangler.js").write_text(FAKE)
    (package / "package.json").write_text(json.dumps({"name": "wrangler", "version": "4.999.0"}))


def given(trailboss: Trailboss, *words: str) -> list[str]:
    """The words wrangler was started with."""
    return started(trailboss, *words)[0]


def started(trailboss: Trailboss, *words: str) -> tuple[list[str], dict[str, Any]]:
    """The words and the configuration; wrangler ended before it was ready, which is said."""
    done = trailboss("dev", *words)
    assert done.status == 1
    assert "TB3601" in done.err
    line = next(line for line in done.out.splitlines() if '"args"' in line)
    found = json.loads(line[line.index("{") :])
    words = found["args"]
    if words[-2:-1] == ["--inspector-port"] and 9229 <= int(words[-1]) < 9329:
        del words[-2:]  # the one that we choose, when nobody says one
    return words, found["config"]


def test_wranglers_own_options_reach_it_as_typed(trailboss: Trailboss, told: Path) -> None:
    words = given(
        trailboss,
        *("--upstream-protocol", "https", "--host", "localhost", "--compatibility-date", "2024-01-01"),
        *("--var", "A:1", "--live-reload", "--ip", "127.0.0.1", "--port", "0", "--log-level=debug"),
    )
    assert words[:12] == [
        *("dev", "--upstream-protocol", "https", "--host", "localhost"),
        *("--compatibility-date", "2024-01-01", "--var", "A:1", "--live-reload", "--log-level=debug"),
        "--local",
    ]
    assert words[12] == "--config"
    assert words[14:] == [
        *("--persist-to", str(told / ".wrangler" / "state"), "--port", "0", "--ip", "127.0.0.1")
    ]


def test_the_environment_is_in_the_configuration_and_not_in_the_words(
    trailboss: Trailboss, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (told / "trailboss.toml").write_text("[environments.staging]\n[dev]\nport = 0\ninspector_port = 9444\n")
    monkeypatch.setenv("CLOUDFLARE_ENV", "staging")
    words, flat = started(trailboss)
    assert "--env" not in words
    assert words[-4:] == ["--port", "0", "--inspector-port", "9444"]
    assert flat["name"] == "hello-staging"
    assert Path(flat["main"]).is_absolute()
    assert not Path(words[words.index("--config") + 1]).parent.exists()


@pytest.mark.parametrize("word", ["--remote", "--local", "-r"])
def test_where_it_runs_is_the_users_choice(trailboss: Trailboss, told: Path, word: str) -> None:
    assert [one for one in given(trailboss, word) if one in ("--remote", "--local", "-r")] == [word]


def test_in_the_sandbox_remote_bindings_are_left_alone(
    trailboss: Trailboss, told: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    point(monkeypatch, sandbox)
    assert "--local" in given(trailboss)


def test_without_any_configuration_wrangler_finds_its_way(trailboss: Trailboss, tmp_path: Path) -> None:
    _bring_own(tmp_path)
    assert given(trailboss, "src/index.ts", "--env", "x") == ["dev", "src/index.ts", "--env", "x", "--local"]


def test_mistakes_are_told_before_anything_starts(trailboss: Trailboss, told: Path) -> None:
    assert trailboss("dev", "--port", "99999").status == 2
    assert "TB9466" in trailboss("dev", "--test").err
    own = trailboss("dev", "--local-protocol", "https", "--https-key-path", "k.pem")
    assert (own.status, "TB9465" in own.err) == (2, True)
    both = ("--https-key-path", "k.pem", "--https-cert-path=c.pem")
    assert "is not there" in trailboss("dev", "--local-protocol", "https", *both).err
    assert "TB1201" in _with(told, trailboss, "[dev]\nprot = 1\n")


def _with(folder: Path, trailboss: Trailboss, text: str) -> str:
    (folder / "trailboss.toml").write_text(text)
    return trailboss("dev").err


def test_an_untrusted_certificate_is_said_once_or_stops_it(
    trailboss: Trailboss, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = told / "certificates"
    monkeypatch.setenv("TRAILBOSS_CERTIFICATES_DIR", str(folder))
    https = ("--local-protocol", "https")
    started = trailboss("dev", *https)
    assert '"args"' in started.out
    assert started.err.count("does not trust") == 1
    assert f"curl --cacert {folder / 'authority.pem'}" in started.err
    for words in ((*https, "--require-trusted"), ("--require-trusted",)):
        refused = trailboss("dev", *words)
        assert (refused.status, "TB9485" in refused.err, '"args"' in refused.out) == (2, True, False)
    assert "TB9485" in _with(told, trailboss, '[dev]\nlocal_protocol = "https"\nrequire_trusted = true\n')
    own = (
        "--https-key-path",
        str(folder / "server-key.pem"),
        "--https-cert-path",
        str(folder / "server.pem"),
    )
    refused = trailboss("dev", *https, *own)
    assert "TB9485" in refused.err
    assert "issuer certificate" in refused.err
    (folder / "authority.pem").write_text("damaged")
    (told / "trailboss.toml").unlink()
    assert "TB9486" in trailboss("dev", *https).err
    config = told / "wrangler.jsonc"
    config.write_text(config.read_text().replace("{", '{ "dev": { "local_protocol": "https" },', 1))
    assert "TB9486" in trailboss("dev").err, "where the wrangler configuration asks for https"


def test_at_a_terminal_trust_is_offered(
    trailboss: Trailboss, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trailboss.develop import trust

    ran: list[tuple[str, ...]] = []
    monkeypatch.setenv("TRAILBOSS_CERTIFICATES_DIR", str(told / "certificates"))
    monkeypatch.setattr(trust, "is_trusted", lambda _: bool(ran))
    monkeypatch.setattr(trust, "stores", lambda _: (trust.Store("system", ("true", "store")),))
    monkeypatch.setattr(
        trust, "_run", lambda words: ran.append(words) or subprocess.CompletedProcess(words, 0)
    )
    done = trailboss("dev", "--local-protocol", "https", "--yes")
    assert ran == [("true", "store")]
    assert "does not trust" not in done.err
    ran.clear()
    asked: list[str] = []
    monkeypatch.setattr(Run, "confirm", lambda _: lambda question: bool(asked.append(question)))
    for _ in range(2):
        assert "does not trust" in trailboss("dev", "--local-protocol", "https").err
    assert (len(asked), ran) == (1, [])
    assert "true store" in asked[0]


def test_trust_says_what_to_run(
    trailboss: Trailboss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAILBOSS_CERTIFICATES_DIR", str(tmp_path / "certificates"))
    shown = trailboss("dev", "trust", "--print")
    assert shown.status == 0
    assert "authority.pem" in shown.out
    found = trailboss("dev", "trust", "--json")
    assert found.status == 1
    assert found.json["trusted"] is False
    check("trailboss dev trust", found.json, set())
