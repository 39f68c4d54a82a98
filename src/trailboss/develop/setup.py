"""Everything a dev server is started with, checked before anything starts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.develop.certificate import Pair, certificate_for
from trailboss.develop.flat import connection_strings, private_folder, write_flat
from trailboss.develop.given_certificate import own_pair
from trailboss.develop.listening import Devtools, Place, asked_for
from trailboss.develop.pipe import SecretPipe
from trailboss.develop.variables import Variables, as_dotenv, read_variables
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.config import Worker
    from trailboss.develop.variables import Resolvers


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: `command` starts wrangler, `words` go to `wrangler dev` as they are.

    `port`, `address`, `protocol` are None where nobody said anything; `environ` is what wrangler gets.
    """

    command: Sequence[str]
    words: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    environment: str | None = None
    port: int | None = None
    address: str | None = None
    protocol: str | None = None
    persist_to: Path | None = None
    inspector_port: int | None = None
    env_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One Worker as it is run: its private folder and what its secrets are."""

    worker: Worker
    folder: Path
    variables: Variables


class Setup:
    """The Workers, their generated configurations and their secrets, for the time the server runs.

    Use it as a context manager; `also` are further files to watch; `renew` takes the project as it is now.
    """

    def __init__(
        self, wish: Wish, workers: tuple[Worker, ...], resolvers: Resolvers, *, also: tuple[Path, ...] = ()
    ) -> None:
        self.wish = wish
        self._resolvers = resolvers
        self._also = also
        self._stack = ExitStack()
        self._content: dict[Path, Secret] = {}
        self.devtools = Devtools()
        self.parts: tuple[Part, ...] = self._read(workers)

    def __enter__(self) -> Setup:
        self._settle()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.devtools.release()
        for folder in {pipe.parent for pipe in self._content}:
            shutil.rmtree(folder, ignore_errors=True)

    def renew(self, workers: tuple[Worker, ...]) -> bool:
        """Take the project as it is now; True when wrangler has to be started again for it.

        Raises what reading secrets raises; then everything stays as it was.
        """
        before = [part.folder for part in self.parts]
        self.parts = self._read(workers)
        self._settle(force=True)
        return before != [part.folder for part in self.parts]

    @property
    def watched(self) -> tuple[Path, ...]:
        """The files that decide what is run, whether they are there yet or not."""
        found = list(self._also)
        for part in self.parts:
            found += [part.worker.path, part.worker.user_path or part.worker.path, *part.variables.watched]
        return tuple(dict.fromkeys(found))

    def _read(self, workers: tuple[Worker, ...]) -> tuple[Part, ...]:
        wish = self.wish
        return tuple(
            Part(
                worker,
                private_folder(worker, wish.environment),
                read_variables(
                    worker, wish.environment, wish.environ, self._resolvers, env_files=wish.env_files
                ),
            )
            for worker in workers
        )

    def _settle(self, *, force: bool = False) -> None:
        """Write configurations and offer secrets. A configuration is written anew when forced: that is what
        makes wrangler read the secrets again.
        """
        for part in self.parts:
            pipe = part.folder / ".dev.vars"
            known = pipe in self._content
            self._content[pipe] = as_dotenv(part.variables.values)
            if not known:
                self._stack.enter_context(SecretPipe(pipe, lambda pipe=pipe: self._content[pipe]))  # type: ignore[misc]
            write_flat(part.worker, part.folder, force=force)

    def command_line(self) -> list[str]:
        """The words that start wrangler."""
        wish = self.wish
        found = [*wish.command, "dev", *wish.words]
        for part in self.parts:
            found += ["--config", str(part.folder / "wrangler.json")]
        if self.parts:
            found += ["--persist-to", str(wish.persist_to or _state(self.parts[0].worker))]
        for option, value in (
            ("--port", wish.port),
            ("--ip", wish.address),
            ("--local-protocol", wish.protocol),
            ("--inspector-port", self._devtools_port()),
        ):
            if value is not None:
                found += [option, str(value)]
        return found

    @property
    def places(self) -> tuple[Place, ...]:
        """The ports that were asked for, by flag or file."""
        return _places(self.wish, tuple(part.worker for part in self.parts))

    def _devtools_port(self) -> int | None:
        """The one that was asked for, else one of our own choice; None: the file says it."""
        if self.wish.inspector_port is not None:
            return self.wish.inspector_port
        table = _dev_table(tuple(part.worker for part in self.parts))
        return None if "inspector_port" in table else self.devtools.choose()

    def variables(self) -> dict[str, str]:
        """The environment of wrangler: local connection strings are in it and in no file."""
        environ = {name: value for name, value in self.wish.environ.items() if name != "CLOUDFLARE_ENV"}
        for part in self.parts:
            strings = connection_strings(part.worker)
            resolved = _resolved(strings, self._resolvers) if strings else {}
            environ = {**resolved, **environ}
        return environ


def _resolved(strings: Mapping[str, str], resolvers: Resolvers) -> dict[str, str]:
    from trailboss.secrets import Wanted

    found = resolvers({}).resolve_now({name: Wanted(text, name) for name, text in strings.items()})
    return {name: value.reveal() for name, value in found.items()}


def _state(worker: Worker) -> Path:
    """Where wrangler keeps local data when it reads the user's own file: `d1 execute --local` sees it too."""
    return (worker.user_path or worker.path).parent / ".wrangler" / "state"


def check(wish: Wish, workers: tuple[Worker, ...]) -> tuple[Wish, Pair | None]:
    """The wish made whole, with the certificate an https server needs.

    Raises:
        UsageError: TB9460, TB9461 a port cannot be had; TB9465, TB9486 the certificate cannot be used.
    """
    for place in _places(wish, workers):
        place.need()
    table = _dev_table(workers)
    address = wish.address or table.get("ip") or "localhost"
    if not is_https(wish, workers):
        return wish, None
    if own_pair(wish.words, wish.folder) is not None:
        return wish, None
    pair = certificate_for(("localhost", address))
    paths = ["--https-key-path", str(pair.key), "--https-cert-path", str(pair.certificate)]
    return replace(wish, words=[*wish.words, *paths]), pair


def is_https(wish: Wish, workers: tuple[Worker, ...]) -> bool:
    """Whether the server speaks https, by flag or file."""
    return (wish.protocol or _dev_table(workers).get("local_protocol")) == "https"


def _dev_table(workers: tuple[Worker, ...]) -> dict[str, Any]:
    dev = workers[0].raw.get("dev") if workers else None
    return dev if isinstance(dev, dict) else {}


def _places(wish: Wish, workers: tuple[Worker, ...]) -> tuple[Place, ...]:
    return asked_for(_dev_table(workers), wish.port, wish.address, wish.inspector_port)
