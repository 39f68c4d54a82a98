"""Running under `op run`: the program `op` has put the values into this process's variables.

What its `--env-file`s ask for is answered by those variables, and never asked again. Only the same text
counts: the development key that `op run --env-file=.env.development` brought must not answer for
`API_KEY` of `.env.production`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from trailboss.errors import SecretError
from trailboss.secrets.backends.ancestors import ancestors
from trailboss.secrets.dotenv import parse
from trailboss.secrets.reference import SCHEME
from trailboss.values import Secret


@dataclass(frozen=True, slots=True)
class OpRun:
    """An `op run` around this process; `asked` is what its files gave to which variable."""

    asked: Mapping[str, str] = field(default_factory=dict, repr=False)

    def value(self, text: str, environ: Mapping[str, str]) -> Secret | None:
        """The value that was already resolved for exactly `text`.

        `op run` resolves a variable that is a reference as a whole; one with references inside of a longer
        string it hands on as it is."""
        if not text.strip().startswith(SCHEME):
            return None
        for name, asked in self.asked.items():
            if asked.strip() == text.strip():
                found = named(name, text, environ)
                if found is not None:
                    return found
        return None


def op_run() -> OpRun | None:
    """The nearest `op run` that started this process, itself or through others."""
    for program in ancestors():
        words = run_words(program.words)
        if words is not None:
            folder = program.folder or Path.cwd()
            return OpRun(_asked([folder / name for name in env_files(words)]))
    return None


def named(name: str | None, text: str, environ: Mapping[str, str]) -> Secret | None:
    """The value of a variable; None when there is none, or it is still `text` or another reference."""
    found = environ.get(name) if name else None
    unresolved = found is None or found.startswith(SCHEME) or found.strip() == text.strip()
    return None if found is None or unresolved else Secret(found)


def run_words(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words of `op ... run ...` before `--`; None for every other command line. When `op` is a script,
    its interpreter stands before it."""
    for at, word in enumerate(words[:4]):
        script = all(flag.startswith("-") for flag in words[1:at])
        if script and Path(word).name in ("op", "op.exe"):
            own = words[at + 1 : words.index("--", at)] if "--" in words[at:] else words[at + 1 :]
            return own if "run" in own else None
    return None


def env_files(words: tuple[str, ...]) -> list[str]:
    """The values of `--env-file` in both of its spellings, in their order: a later file wins."""
    found = []
    for word, following in pairwise((*words, "")):
        if word.startswith("--env-file="):
            found.append(word.partition("=")[2])
        elif word == "--env-file" and following:
            found.append(following)
    return found


def _asked(files: list[Path]) -> dict[str, str]:
    """What the files say; one that cannot be read any more resolves nothing, and the vault is asked."""
    found: dict[str, str] = {}
    for file in files:
        try:
            found |= {name: entry.value for name, entry in parse(file.read_text("utf-8"), file).items()}
        except (OSError, UnicodeDecodeError, SecretError):
            continue
    return found
