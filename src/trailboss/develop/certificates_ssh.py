"""Short-lived SSH certificates: Access signs a key that lives as long as the session.

The exchange is that of `cloudflared access ssh-gen`: the key's public half and the user's Access token go to
`/cdn-cgi/access/cert_sign` of the host name. The user on the machine is the local part of the address.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trailboss.errors import AuthenticationError, BuildError
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.develop.forward import Gate
    from trailboss.develop.reach import Way


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and its certificate; or, with `files`, where cloudflared put them."""

    key: Secret | None
    certificate: str
    files: tuple[Path, Path] | None = None

    def write(self, folder: Path) -> list[str]:
        """ssh's options for it; the key is written into `folder`, readable by this user only."""
        key, certificate = self.files or (folder / "key", folder / "key-cert.pub")
        if self.key is not None:
            with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:  # noqa: PTH123
                handle.write(self.key.reveal())
            certificate.write_text(self.certificate)
        return ["-i", str(key), "-o", f"CertificateFile={certificate}"]


async def short_lived(way: Way) -> Identity:
    """A certificate for whoever is logged in.

    Raises:
        AuthenticationError: TB2122 Access does not sign. BuildError: TB3616 cloudflared did not get one.
    """
    host = way.place.hostname
    if way.cloudflared is not None:
        command = [str(way.cloudflared.path), "access", "ssh-gen", "--hostname", host]
        done = await asyncio.to_thread(subprocess.run, command, check=False)
        folder = Path.home() / ".cloudflared"
        files = folder / f"{host}-cf_key", folder / f"{host}-cf_key-cert.pub"
        if done.returncode != 0 or not all(file.is_file() for file in files):
            raise BuildError(
                "TB3616",
                f"cloudflared got no certificate for {host} (status {done.returncode})",
                hint="What it said is above; without `short_lived_certificates` ssh uses its own keys.",
            )
        return Identity(None, "", files)
    private, public = await asyncio.to_thread(_make_key)
    return Identity(private, await _sign(way.gate, public))


def _make_key() -> tuple[Secret, str]:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return Secret(private), key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


async def _sign(gate: Gate, public: str) -> str:
    import httpx

    token = gate.headers.get("Cf-Access-Token")
    if token is None:
        raise _unsigned(gate, "a certificate is for a user, and a service token is none")
    where = f"https://{gate.hostname}" if gate.edge is None else gate.edge
    headers = {"content-type": "application/json", "cf-access-token": token.reveal()}
    if gate.edge is not None and urlsplit(gate.edge).hostname != gate.hostname:
        headers["host"] = gate.hostname
    body = json.dumps({"public_key": public, "jwt": token.reveal()})
    async with httpx.AsyncClient(trust_env=gate.edge is None) as http:
        answer = await http.post(f"{where}/cdn-cgi/access/cert_sign", content=body, headers=headers)
    if answer.status_code != 200:
        raise _unsigned(gate, f"HTTP {answer.status_code}")
    return str(answer.json()["certificate"])


def _unsigned(gate: Gate, why: str) -> AuthenticationError:
    return AuthenticationError(
        "TB2122",
        f"Access gives no certificate for {gate.hostname}: {why}",
        hint="Set CF_ACCESS_TOKEN to a user's own token, or install cloudflared: it logs in with a browser.",
    )
