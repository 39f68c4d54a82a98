"""Split a command line into the command, and everything else in the order it was written."""

from __future__ import annotations

from dataclasses import dataclass, field

from trailboss.cli.table import GROUPS, OURS, WRANGLER

TAKES_VALUE = frozenset({"-e", "--env", "-c", "--config", "--cwd", "--env-file", "--profile", "--target"})
"""Options that stand before a command as well as after it, and are followed by a value."""

_BEGUN = frozenset(
    " ".join(parts[:count])
    for parts in (words.split() for words in OURS)
    for count in range(1, len(parts) + 1)
)
"""Every command of ours and every beginning of one."""
_OPEN = frozenset(words for words in _BEGUN if any(other.startswith(f"{words} ") for other in _BEGUN)) | {
    words for words in GROUPS if words not in OURS
}
"""Those that another word may follow."""

OLD_SPELLINGS = {"mtls": "mtls", "environment": "environments"}


@dataclass(frozen=True)
class Line:
    """`command` in today's spelling; `leading` options stood before it, `rest` came after it."""

    command: tuple[str, ...] = ()
    leading: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The command as the table spells it."""
        return " ".join(self.command)

    @property
    def arguments(self) -> list[str]:
        """Everything that is not the command, options before it first."""
        return [*self.leading, *self.rest]

    @property
    def is_group(self) -> bool:
        """Whether only the name of a group was given: `trailboss versions`."""
        return len(self.command) == 1 and self.command[0] in GROUPS and self.words not in OURS


def _modern(word: str) -> list[str]:
    """`kv:namespace` is `kv namespace`, `mTls` is `mtls`: spellings of older wranglers and of people."""
    head, colon, tail = word.partition(":")
    if colon and head and tail and (head in WRANGLER or head in GROUPS):
        return [head, tail]
    lower = word.lower()
    return [OLD_SPELLINGS.get(lower, lower) if lower in OLD_SPELLINGS else word]


def split(argv: list[str]) -> Line:
    """Find the command in `argv`.

    Options may stand before the command, and between its words (`versions --env staging list`). Nothing
    after `--` is looked at. Words that begin a command of ours and do not end one (`kv namespace list`)
    stay with the rest.
    """
    command: list[str] = []
    leading: list[str] = []
    position, ended = 0, 0
    while position < len(argv) and argv[position] != "--":
        token = argv[position]
        if token.startswith("-") and len(token) > 1:
            take = 2 if token in TAKES_VALUE else 1
            leading += argv[position : position + take]
            position += take
            continue
        grown = [*command, *_modern(token)]
        if command and " ".join(grown) not in _BEGUN:
            break
        command = grown
        position += 1
        if not ended or " ".join(command) in OURS:
            ended = len(command)
        if " ".join(command) not in _OPEN:
            break
    return Line(tuple(command[:ended]), leading, [*command[ended:], *argv[position:]])
