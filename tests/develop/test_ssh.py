"""A real sshd behind the sandbox's edge, reached by the system's ssh through our own ProxyCommand."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Sandbox
from tests.develop.accounts import as_account, at_sandbox, call, standin
from tests.develop.conftest import surroundings
from tests.waiting import wait_until
from trailboss.develop.access import Visitor, ensure_application, ensure_authority, find_application
from trailboss.develop.ports import free_port
from trailboss.develop.ssh import write_stanza
from trailboss.develop.tunnels import find_tunnel, read_rules
from trailboss.errors import ConfigError

HOST = "ssh.dev.example.com"
NAMED = ("--tunnel", "ssh-access-development", "--hostname", HOST)
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Machine:
    """A machine with sshd: the port, a key it knows, and files that hold who it is."""

    port: int
    folder: Path

    @property
    def service(self) -> str:
        return f"ssh://127.0.0.1:{self.port}"

    @property
    def options(self) -> list[str]:
        """ssh's options that keep a test to itself."""
        return [
            *("-F", "none", "-i", str(self.folder / "user"), "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={self.folder / 'known'}", "-o", "StrictHostKeyChecking=accept-new"),
            *("-o", "BatchMode=yes"),
        ]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A real sshd on the loopback address, for this user only."""
    if not SSHD:
        pytest.skip("sshd is not on this machine: the Debian package openssh-server has it")
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True
        )
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    (folder / "authority").write_text("")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nTrustedUserCAKeys {folder / 'authority'}\n"
        "UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    wait_until(lambda: "listening on" in (folder / "log").read_text(), "sshd")
    yield Machine(port, folder)
    process.terminate()
    process.wait()


def trailboss(
    box: Sandbox, folder: Path, *words: str, stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """The command line as a program."""
    return subprocess.run(
        [sys.executable, "-m", "trailboss", *words],
        cwd=folder,
        env={**surroundings(folder), **at_sandbox(box), **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_session_opens_through_tunnel_and_access(
    account: Sandbox, machine: Machine, tmp_path: Path
) -> None:
    words = ("ssh", *NAMED, "--service", machine.service, "--user", getpass.getuser(), "--")
    done = trailboss(account, tmp_path, *words, *machine.options, "cat; exit 7", stdin="through " * 40_000)
    assert (done.returncode, done.stdout) == (7, "through " * 40_000), done.stderr
    tunnel = call(account, lambda cloud: find_tunnel(cloud, "ssh-access-development"))
    (rule,) = call(account, lambda cloud: read_rules(cloud, tunnel))
    assert (rule.hostname, rule.service) == (HOST, machine.service)
    application = call(account, lambda cloud: find_application(cloud, HOST))
    assert application is not None
    assert [one["decision"] for one in application["policies"]] == ["allow"]
    without = account.edge(HOST)
    assert without.status_code == 302


def test_the_lines_of_ssh_config_do_the_same(account: Sandbox, machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "ssh" / "config"
    file.parent.mkdir()
    file.write_text("Host other\n  User me\n")
    words = ("ssh", "config", *NAMED, "--service", machine.service, "--user", getpass.getuser())
    shown = trailboss(account, tmp_path, *words)
    assert shown.stdout.startswith(f"# >>> trailboss {HOST}\nHost {HOST}\n  ProxyCommand ")
    for _ in range(2):
        assert trailboss(account, tmp_path, *words, "--write", "--file", str(file)).returncode == 0
    assert file.read_text().count("Host ") == 2
    assert file.read_text().endswith("Host other\n  User me\n")
    options = [word if word != "none" else str(file) for word in machine.options]
    done = subprocess.run(
        ["ssh", *options, HOST, "echo", "$SHELL", "it works"],
        env={**surroundings(tmp_path), **at_sandbox(account)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "it works" in done.stdout, done.stderr


def test_a_service_token_lets_in_and_a_wrong_one_does_not(
    account: Sandbox, machine: Machine, tmp_path: Path
) -> None:
    made = account.call("POST", f"{account.account}/access/service_tokens", {"name": "ci"}, expect=201)
    token = {"CF_ACCESS_CLIENT_ID": made["client_id"], "CF_ACCESS_CLIENT_SECRET": made["client_secret"]}
    words = (
        "ssh",
        *NAMED,
        "--service",
        machine.service,
        "-l",
        getpass.getuser(),
        "--",
        *machine.options,
        "echo in",
    )
    done = trailboss(account, tmp_path, *words, **token)
    assert done.stdout == "in\n", done.stderr
    wrong = trailboss(account, tmp_path, *words, **{**token, "CF_ACCESS_CLIENT_SECRET": "0" * 64})
    assert wrong.returncode == 255
    assert "Access does not let us in" in wrong.stderr
    half = trailboss(account, tmp_path, *words, CF_ACCESS_CLIENT_ID=made["client_id"])
    assert (half.returncode, "TB1821" in half.stderr) == (2, True)


def test_cloudflared_is_used_where_it_is_and_gets_no_token_in_its_words(
    account: Sandbox, machine: Machine, tmp_path: Path
) -> None:
    made = account.call("POST", f"{account.account}/access/service_tokens", {"name": "ci"}, expect=201)
    environ = {
        **as_account(account, tmp_path),
        "CLOUDFLARED_PATH": str(standin(tmp_path)),
        "STANDIN_EDGE": f"127.0.0.1:{account.connection.edge_port}",
        "CF_ACCESS_CLIENT_ID": made["client_id"],
        "CF_ACCESS_CLIENT_SECRET": made["client_secret"],
    }
    words = (*NAMED, "--service", machine.service, "--user", getpass.getuser())
    done = trailboss(account, tmp_path, "ssh", *words, "--", *machine.options, "echo by it", **environ)
    assert done.stdout == "by it\n", done.stderr
    shown = trailboss(account, tmp_path, "ssh", "config", *words, "--short-lived", **environ)
    assert "cloudflared access ssh --hostname %h" in shown.stdout
    assert f'Match host {HOST} exec "' in shown.stdout
    assert "CertificateFile ~/.cloudflared/%h-cf_key-cert.pub" in shown.stdout
    assert made["client_secret"] not in shown.stdout
    without = {**environ, "CLOUDFLARED_PATH": "", "PATH": "/usr/bin:/bin"}
    for name in ("CF_ACCESS_CLIENT_ID", "CF_ACCESS_CLIENT_SECRET"):
        without.pop(name)
    nobody = trailboss(account, tmp_path, "ssh", *words, **without)
    assert "TB3614" in nobody.stderr, nobody.stderr


def test_a_short_lived_certificate_logs_in_without_any_key(
    account: Sandbox, machine: Machine, tmp_path: Path
) -> None:
    user = getpass.getuser()
    (tmp_path / "trailboss.toml").write_text(
        f'name = "x"\n[ssh]\ntunnel = "t"\nhostname = "{HOST}"\nservice = "{machine.service}"\n'
        f'user = "{user}"\nemails = ["{user}@example.com"]\n'
    )
    (tmp_path / "wrangler.json").write_text(
        '{"name": "x", "main": "x.js", "compatibility_date": "2026-11-01"}'
    )
    application = call(
        account, lambda cloud: ensure_application(cloud, HOST, Visitor(), (f"{user}@example.com",))
    )
    authority = call(account, lambda cloud: ensure_authority(cloud, application))
    (machine.folder / "authority").write_text(f"{authority}\n")
    known = machine.options[4:]
    done = trailboss(account, tmp_path, "ssh", "--", "-F", "none", *known, "echo signed")
    assert done.stdout == "signed\n", done.stderr
    assert authority in done.stderr
    assert not [
        path for path in tmp_path.rglob("*") if "key" in path.name and "certificates" not in str(path)
    ]


def test_nobody_may_pass_unless_somebody_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Visitor.of({"TUNNEL_SERVICE_TOKEN_SECRET": "x"})
    assert caught.value.code == "TB1821"
    assert Visitor.of({}).headers == {}
    assert set(Visitor.of({"CF_ACCESS_TOKEN": "x"}).headers) == {"Cf-Access-Token"}


def test_mistakes_are_told(account: Sandbox, tmp_path: Path) -> None:
    for words, code in (
        (("ssh", "--tunnel", "t"), "TB9469"),
        (("ssh", "--host", "none"), "TB9468"),
        (("ssh", "--tunnel", "t", "--hostname", "ssh.nowhere.test"), "TB2312"),
        (("tunnel", "forward", "--hostname", "none.example.com", "--listen", "0"), "TB2521"),
    ):
        done = trailboss(account, tmp_path, *words)
        assert code in done.stderr, done.stderr


def test_lines_are_replaced_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "config"
    text = "# >>> trailboss h\nHost h\n# <<< trailboss h\n"
    assert write_stanza(file, "h", text) is True
    assert write_stanza(file, "h", text) is False
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(f"Host a\n{text}Host b\n")
    assert write_stanza(file, "h", text.replace("Host h", "Host h\n  User u")) is True
    assert file.read_text() == "Host a\n# >>> trailboss h\nHost h\n  User u\n# <<< trailboss h\nHost b\n"
