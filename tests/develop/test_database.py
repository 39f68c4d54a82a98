"""A real PostgreSQL behind the sandbox's edge, reached by the real psql."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import as_account, at_sandbox, standin
from tests.develop.conftest import Start, surroundings
from trailboss.develop.database import Wish, client
from trailboss.develop.ports import free_port
from trailboss.errors import BuildError, ConfigError
from trailboss.values import Secret

HOST = "db.example.com"
PASSWORD = "canary-pg-91"
PLACES = [
    *os.environ.get("PATH", "").split(":"),
    *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))),
]


@dataclass
class Server:
    """A database server: where it listens."""

    port: int
    folder: Path


def program(name: str) -> str:
    found = shutil.which(name, path=":".join(PLACES))
    if not found:
        pytest.skip(f"{name} is not on this machine: the Debian package postgresql has it")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL on the loopback address. It does not run as root, so root gives it to another user."""
    folder, port = Path(tempfile.mkdtemp(prefix="trailboss-pg-")), free_port()
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    as_user: dict[str, str] = {}
    if os.geteuid() == 0:
        as_user = {"user": "nobody", "group": "nogroup"}
        shutil.chown(folder, "nobody")
        shutil.chown(secret, "nobody")

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, cwd=folder, **as_user)  # type: ignore[call-overload]

    login = ("-U", "app", "--auth=scram-sha-256", f"--pwfile={secret}")
    run(program("initdb"), "-D", str(data), *login, "--no-sync")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c shared_buffers=8MB"
    control = (program("pg_ctl"), "-D", str(data))
    run(*control, "-l", str(folder / "log"), "-w", "-o", options, "start")
    yield Server(port, folder)
    run(*control, "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    """A project that names the database."""
    (tmp_path / "wrangler.json").write_text('{"name": "x", "main": "x.js"}')
    (tmp_path / "trailboss.toml").write_text(
        f'name = "x"\n[databases.orders]\ntunnel = "db-access"\nhostname = "{HOST}"\n'
        f'service = "tcp://127.0.0.1:{server.port}"\nengine = "postgresql"\nuser = "app"\n'
        'password = "${ORDERS_PASSWORD}"\ndatabase = "postgres"\n'
    )
    return tmp_path


def test_psql_works_through_the_tunnel(account: Sandbox, folder: Path) -> None:
    script = "SELECT 6 * 7 AS answer;\nSELECT length(repeat('x', 1000000));\n\\conninfo\n"
    done = subprocess.run(
        [sys.executable, "-m", "trailboss", "db", "connect", "orders", "--", "-X", "-t", "-A"],
        cwd=folder,
        env={**surroundings(folder), **at_sandbox(account), "ORDERS_PASSWORD": PASSWORD},
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("\n")[:2] == ["42", "1000000"], done.stderr
    assert 'on host "127.0.0.1"' in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    wrong = subprocess.run(
        [sys.executable, "-m", "trailboss", "db", "connect", "orders", "--", "-X", "-c", "SELECT 1"],
        cwd=folder,
        env={**surroundings(folder), **at_sandbox(account), "ORDERS_PASSWORD": "wrong"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert wrong.returncode == 2
    assert "password authentication failed" in wrong.stderr
    assert account.edge(HOST).status_code == 302


def test_a_local_port_is_for_any_client(account: Sandbox, folder: Path, start: Start) -> None:
    port = free_port()
    running = start(
        *("db", "connect", "orders", "--listen", str(port)),
        cwd=folder,
        ORDERS_PASSWORD=PASSWORD,
        **at_sandbox(account),
    )
    running.says(f"orders is at 127.0.0.1:{port}")
    url = f"postgresql://app@127.0.0.1:{port}/postgres"
    done = [
        subprocess.Popen(
            [program("psql"), "-X", "-t", "-A", url, "-c", f"SELECT {number}"],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    assert [one.communicate()[0].strip() for one in done] == ["0", "1", "2"]
    environ = {"ORDERS_PASSWORD": PASSWORD, **at_sandbox(account)}
    taken = start("db", "connect", "orders", "--listen", str(port), cwd=folder, **environ)
    assert taken.end() == 2
    assert running.interrupt() == 0


def test_cloudflared_carries_it_where_it_is(account: Sandbox, folder: Path) -> None:
    made = account.call("POST", f"{account.account}/access/service_tokens", {"name": "ci"}, expect=201)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "trailboss",
            "db",
            "connect",
            "orders",
            "--",
            "-X",
            "-t",
            "-A",
            "-c",
            "SELECT 7",
        ],
        cwd=folder,
        env={
            **surroundings(folder),
            **as_account(account, folder),
            "CLOUDFLARED_PATH": str(standin(folder)),
            "STANDIN_EDGE": f"127.0.0.1:{account.connection.edge_port}",
            "CF_ACCESS_CLIENT_ID": made["client_id"],
            "CF_ACCESS_CLIENT_SECRET": made["client_secret"],
            "ORDERS_PASSWORD": PASSWORD,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "7\n", done.stderr


def test_which_client_is_told_by_engine_or_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("psql", "mysql"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command, variables = client(
        Wish("a", "h", service="tcp://db:3306", user=getpass.getuser(), password=Secret("s"), database="d")
    )
    words, _ = command(99)
    assert words[0] == str(tmp_path / "mysql")
    assert words[1:4] == ["--protocol=tcp", "--host=127.0.0.1", "--port=99"]
    assert words[-1] == "d"
    assert variables == {"MYSQL_PWD": "s"}
    assert Wish("a", "h", service="tcp://db:5432").kind() == "postgresql"
    with pytest.raises(ConfigError) as caught:
        Wish("a", "h", service="tcp://db:1").kind()
    assert caught.value.code == "TB1823"
    (tmp_path / "psql").unlink()
    with pytest.raises(BuildError) as missing:
        client(Wish("a", "h", engine="postgresql"))
    assert missing.value.code == "TB3617"
