"""Whether this machine believes the local authority, and the commands that make it do so.

Each store has its owner's own tool; we print what is run, and run it only when asked to.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from trailboss.develop.certificate import Pair
from trailboss.errors import UsageError

NAME = "Trailboss local development authority"


@dataclass(frozen=True, slots=True)
class Store:
    """A place that keeps trusted authorities, and the command that adds ours to it (None: by hand)."""

    name: str
    command: tuple[str, ...] | None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """What `dev trust` found and did."""

    certificate: Path
    trusted: bool
    stores: tuple[Store, ...]
    installed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def is_trusted(authority: Pair) -> bool:
    """Whether the system's store, which curl and most programs use, holds the authority."""
    wanted = ssl.PEM_cert_to_DER_cert(authority.certificate.read_text())
    if sys.platform == "darwin":
        found = _run(("security", "find-certificate", "-c", NAME, "-p"))
        return found.returncode == 0 and authority.certificate.read_text().strip() in found.stdout
    return wanted in ssl.create_default_context().get_ca_certs(binary_form=True)


def was_declined(authority: Pair, *, now: bool = False) -> bool:
    """Whether somebody said no to trusting this authority, and need not be asked again; `now`: they do."""
    mark, name = authority.certificate.with_name("trust-declined"), _fingerprint(authority)
    if now:
        mark.write_text(name)
    return mark.is_file() and mark.read_text() == name


def _fingerprint(authority: Pair) -> str:
    return hashlib.sha256(authority.certificate.read_bytes()).hexdigest()


def how_without(authority: Pair) -> str:
    """How single programs are made to believe the server, where the machine is not."""
    file = authority.certificate
    return f"curl --cacert {file}, NODE_EXTRA_CA_CERTS={file}"


def stores(authority: Pair) -> tuple[Store, ...]:
    """The stores of this machine, the system's first; what Firefox and Chromium on Linux use comes last."""
    file = str(authority.certificate)
    found: list[Store] = []
    if sys.platform == "darwin":
        keychain = str(Path.home() / "Library/Keychains/login.keychain-db")
        command = ("security", "add-trusted-cert", "-r", "trustRoot", "-k", keychain, file)
        found.append(Store("login keychain", command))
    else:
        found += _linux(file)
    database = Path.home() / ".pki" / "nssdb"
    if shutil.which("certutil") and database.is_dir():
        words = ("certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", NAME, "-i", file)
        found.append(Store("Chromium's store", words))
    found.append(Store("Node.js", None, f"export NODE_EXTRA_CA_CERTS={file}"))
    found.append(Store("Firefox", None, f"Settings, Certificates, Authorities, Import: {file}"))
    return tuple(found)


def _linux(file: str) -> list[Store]:
    """The system's store of the usual distributions: their own two-step tools, behind sudo."""
    for folder, tool in (
        ("/usr/local/share/ca-certificates", "update-ca-certificates"),
        ("/etc/pki/ca-trust/source/anchors", "update-ca-trust"),
        ("/etc/ca-certificates/trust-source/anchors", "update-ca-trust"),
    ):
        if Path(folder).is_dir() and (shutil.which(tool) or Path("/usr/sbin", tool).exists()):
            copied = f"cp {shlex.quote(file)} {folder}/trailboss-local.crt && {tool}"
            root = () if _is_root() else ("sudo",)
            return [Store("system", (*root, "sh", "-c", copied))]
    return [Store("system", None, f"add {file} to the system's trusted authorities")]


def _is_root() -> bool:
    import os

    return os.geteuid() == 0


def install(authority: Pair) -> Trust:
    """Run each store's command in turn.

    Raises:
        UsageError: TB9463 none of them worked.
    """
    done: list[str] = []
    failed: list[str] = []
    for store in stores(authority):
        if store.command is None:
            continue
        result = _run(store.command)
        (done if result.returncode == 0 else failed).append(store.name)
    if failed and not done:
        raise UsageError(
            "TB9463",
            f"the authority could not be added to: {', '.join(failed)}",
            hint="`trailboss dev trust --print` shows the commands to run yourself.",
        )
    return Trust(authority.certificate, is_trusted(authority), stores(authority), tuple(done), tuple(failed))


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, stdin=None)
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", error.strerror or "")
