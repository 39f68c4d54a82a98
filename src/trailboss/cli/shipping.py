"""The secrets a command works with: which file, which of its names are ours to read, what was asked for.

Files are read first and resolved when the target is known, so that one question covers both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from trailboss.errors import SecretError

if TYPE_CHECKING:
    from trailboss.cli.run import Run
    from trailboss.release.secret_marks import Keeping
    from trailboss.release.secret_shipping import Shipment
    from trailboss.secrets import SecretsFile
    from trailboss.values import Secret

_NOT_SECRETS = re.compile(r"(?:CLOUDFLARE|CF|TRAILBOSS|WRANGLER|OP)_")


def is_secret(name: str) -> bool:
    """Whether a name of a dotenv file is a Worker's secret, and no variable of a tool."""
    return _NOT_SECRETS.match(name) is None


def project_file(run: Run) -> Path | None:
    """The file of `[secrets] file` for this environment; None when none is configured.

    A file that is named after the environment may be absent, and at the top level of the configuration there
    is none. Any other has to be there: reading it says so."""
    pattern, environment = run.secrets.file, run.project.environment.name
    if pattern is None or ("{environment}" in pattern and not environment):
        return None
    path = run.project.root / pattern.replace("{environment}", environment or "")
    return path if path.is_file() or "{environment}" not in pattern else None


def read_file(run: Run, file: str | Path | None) -> SecretsFile:
    """A file (None: standard input), read and not resolved; its references go with the next question.

    Raises:
        SecretError: as `SecretsFile.read`.
    """
    from trailboss.secrets import SecretsFile

    return SecretsFile.read(file, run.environ, vaults=run.vaults)


def shipment(run: Run, file: str | None) -> Shipment:
    """What ships with an upload: `--secrets-file` to every Worker, and what `[secrets] file` offers. A JSON
    null leaves that secret alone, as leaving it out does.

    Raises:
        SecretError: as `SecretsFile.read` and `SecretsFile.values`.
    """
    from trailboss.release.secret_shipping import Shipment

    alone = len(run.project.workers) == 1
    if file is None and not run.project.settings.secrets:  # the common case, without reading the settings
        return Shipment(alone=alone)
    here = project_file(run)
    given = read_file(run, file) if file is not None else None
    offer = read_file(run, here) if here is not None else None
    if given is not None:
        given.expect()
    if offer is not None:
        offer.expect(is_secret)
    return Shipment(
        _set(given.values()) if given else None,
        offered=_set(offer.values(is_secret)) if offer else None,
        required=run.secrets.required,
        alone=alone,
        keeping=keeping(run),
    )


def _set(values: dict[str, Secret | None]) -> dict[str, Secret]:
    return {name: value for name, value in values.items() if value is not None}


def given_value(run: Run, text: str, name: str) -> Secret:
    """A value of the option `name`, resolved when it is a reference. Where it names an item whose field is
    not obvious, a person at the terminal is asked which one.

    Raises:
        SecretError: as `Resolver.resolve`.
    """
    import sys

    from trailboss.secrets import given
    from trailboss.secrets.unresolved import UNNAMED, UnresolvedError

    try:
        return given(text, run.environ, name=name, vaults=run.vaults)
    except UnresolvedError as error:
        known = error.problems[0].wrong.known
        asks = error.code == UNNAMED and known and sys.stdin.isatty() and not run.output.as_json
        if not asks:
            raise
    field = run.output.ask(f"Which field of {text.strip()}? ({', '.join(known)})", default=known[0])
    return given(f"{text.strip()}/{field}", run.environ, name=name, vaults=run.vaults)


def keeping(run: Run) -> Keeping:
    """Whether and how fingerprints are kept. Raises SecretError as `Resolver.resolve`."""
    from trailboss.release.secret_marks import Keeping

    reference = run.secrets.fingerprint_key
    if not run.secrets.fingerprints or reference is None:
        return Keeping(run.secrets.fingerprints)
    key: Secret | str = run.resolved({"fingerprint_key": reference}, "secrets")["fingerprint_key"]
    if isinstance(key, str):
        raise SecretError(
            "TB7017",
            "[secrets] fingerprint_key is written in the clear.",
            where=run.project.locate("secrets", "fingerprint_key"),
            hint="Put the key into the vault, and write its reference: op://vault/item/field.",
        )
    return Keeping(key=key)
