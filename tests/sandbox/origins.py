"""Servers that stand behind tunnels in the tests: HTTP, HTTPS, WebSocket and TCP echo, on loopback."""

from __future__ import annotations

import datetime
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from websockets.sync.server import ServerConnection, serve


class _Mirror(BaseHTTPRequestHandler):
    """Answers every request with what it saw of it, as JSON; `/status/NNN` with that status."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one piece: two wait for each other, 40 ms

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        body = json.dumps(seen).encode()
        self.send_response(int(self.path[8:]) if self.path.startswith("/status/") else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: pytest shows what failed."""


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.socket.getsockname()[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def http_origin(port: int = 0, certificate: Path | None = None) -> Iterator[int]:
    """The port of a server that mirrors requests; with a certificate, over TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Mirror)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server) as port:
        yield port


class _Echo(socketserver.BaseRequestHandler):
    """Says hello first, as sshd and databases do, then gives back what it gets."""

    def handle(self) -> None:
        self.request.sendall(b"hello\n")
        while piece := self.request.recv(65536):
            self.request.sendall(piece)


class _Dump(socketserver.BaseRequestHandler):
    """Sends all there is, and closes at once."""

    def handle(self) -> None:
        self.request.sendall(DUMP)


DUMP = bytes(range(256)) * 8192


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def tcp_origin(handler: type[socketserver.BaseRequestHandler] = _Echo) -> Iterator[int]:
    """The port of a server that greets and echoes bytes."""
    with _serving(_Threads(("127.0.0.1", 0), handler)) as port:
        yield port


@contextmanager
def dump_origin() -> Iterator[int]:
    """The port of a server that sends `DUMP` and closes."""
    with tcp_origin(_Dump) as port:
        yield port


def _echo(connection: ServerConnection) -> None:
    for message in connection:
        connection.send(message)


@contextmanager
def websocket_origin() -> Iterator[int]:
    """The port of a WebSocket server that echoes messages."""
    with serve(_echo, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def self_signed(folder: Path, name: str) -> Path:
    """A PEM file with a fresh certificate for `name`, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path
