"""A certificate and key of the user's own: read, in time, and believed by this machine or not."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

from trailboss.develop.certificate import Pair
from trailboss.errors import UsageError

KEY, CERTIFICATE = "--https-key-path", "--https-cert-path"
_EXPIRED, _EARLY = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED and _NOT_YET_VALID of OpenSSL


def own_pair(words: Sequence[str], folder: Path) -> Pair | None:
    """The files that wrangler's `words` name, relative to `folder`; None when they name none.

    Raises:
        UsageError: TB9465 only one is named, they do not belong together, or their time is over.
    """
    paths = {}
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in (KEY, CERTIFICATE):
            paths[name] = folder / (value if equals else "".join(words[number + 1 : number + 2]))
    if not paths:
        return None
    lacking = [name for name in (KEY, CERTIFICATE) if name not in paths]
    if lacking:
        raise UsageError("TB9465", f"{lacking[0]} is missing", hint=f"Give {KEY} and {CERTIFICATE}.")
    pair = Pair(paths[CERTIFICATE], paths[KEY])
    try:
        served = _serving(pair)
    except (OSError, ssl.SSLError) as error:
        missing = [path for path in paths.values() if not path.is_file()]
        why = f"{missing[0]} is not there" if missing else (getattr(error, "reason", None) or str(error))
        raise _unusable(why) from error
    refusal = _refusal(served, "localhost")
    if refusal is not None and refusal.verify_code in (_EXPIRED, _EARLY):
        raise _unusable(f"{pair.certificate}: {refusal.verify_message}")
    return pair


def doubts_of(pair: Pair, host: str) -> str:
    """Why a program of this machine would not believe it at `host`; "" when it would."""
    refusal = _refusal(_serving(pair), "localhost" if host in ("", "*", "0.0.0.0", "::") else host)  # noqa: S104
    return "" if refusal is None else refusal.verify_message


def _serving(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def _unusable(why: str) -> UsageError:
    return UsageError(
        "TB9465",
        f"the certificate cannot be used: {why}",
        hint="Both are PEM files that belong together. Without them we make one: `trailboss dev trust`.",
    )


def _refusal(served: ssl.SSLContext, host: str) -> ssl.SSLCertVerificationError | None:
    """What a client with the system's authorities says to it: a handshake in memory, with no connection."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = served.wrap_bio(to_server, to_client, server_side=True)
    client = ssl.create_default_context().wrap_bio(to_client, to_server, server_hostname=host)
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error
    return None
