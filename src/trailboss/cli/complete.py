"""What may come next on a command line, for the shell. Loads click only to list the options of one
command.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trailboss.cli.table import GROUPS, OURS, SECTIONS, WRANGLER, members
from trailboss.cli.words import split

Candidate = tuple[str, str]


def candidates(words: list[str]) -> list[Candidate]:
    """(word, what it does) for the last of `words`, which is the unfinished one."""
    *before, unfinished = words or [""]
    return [(word, about) for word, about in _possible(before, unfinished) if word.startswith(unfinished)]


def _possible(before: list[str], unfinished: str) -> Iterator[Candidate]:
    after = before[-1] if before else ""
    if after in ("-e", "--env"):
        yield from ((name, "environment") for name in environments(Path.cwd()))
    elif after == "--target":
        yield from (("sandbox", "the emulated account here"), ("cloudflare", "a Cloudflare account"))
    elif unfinished.startswith("-"):
        yield from _options(before)
    else:
        line = split(before)
        if not line.command:
            yield from _first_words()
        elif line.is_group and not line.rest:
            group = line.command[0]
            yield from ((entry.words.split()[1], entry.summary) for entry in members(group))
        elif line.words in ("completion", "complete"):
            yield from ((shell, "") for shell in ("bash", "zsh", "fish"))


def _first_words() -> Iterator[Candidate]:
    for _, entries in SECTIONS:
        yield from ((entry.words, entry.summary) for entry in entries if " " not in entry.words)
    yield from ((group, "") for group in GROUPS)
    yield from WRANGLER.items()


def _options(before: list[str]) -> Iterator[Candidate]:
    entry = OURS.get(split(before).words)
    if entry is None or not entry.module:
        return
    from trailboss.cli.main import load

    for param in load(entry).params:
        about = str(getattr(param, "help", "") or "")
        yield from (
            (spelling, about) for spelling in (*param.opts, *param.secondary_opts) if spelling[:1] == "-"
        )


def environments(folder: Path) -> list[str]:
    """The environments of the project around `folder`, as far as its files can be read; never an error."""
    import tomllib

    for up in (folder, *folder.parents):
        file = up / "trailboss.toml"
        if file.is_file():
            try:
                found = tomllib.loads(file.read_text()).get("environments", {})
            except (OSError, ValueError):
                return []
            return sorted(found) if isinstance(found, dict) else []
    return []


BASH = """\
_trailboss() {
  local IFS=$'\\n'
  COMPREPLY=($(trailboss complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _trailboss trailboss
"""

ZSH = """\
#compdef trailboss
_trailboss() {
  local -a found
  local word about
  while IFS=$'\\t' read -r word about; do
    found+=("${word//:/\\\\:}:$about")
  done < <(trailboss complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe trailboss found; else _files; fi
}
compdef _trailboss trailboss
"""

FISH = """\
complete -c trailboss -f -a '(trailboss complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
complete -c trailboss -n 'test -z "$(trailboss complete -- (commandline -opc)[2..] (commandline -ct))"' -F
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
