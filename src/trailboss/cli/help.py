"""The overview: made from the table alone, so that `trailboss --help` loads nothing else."""

from __future__ import annotations

import os
import sys

from trailboss.cli.table import SECTIONS, WRANGLER, Entry, members
from trailboss.version import __version__


def _style(text: str, code: str) -> str:
    styled = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\033[{code}m{text}\033[0m" if styled else text


def _rows(entries: tuple[Entry, ...] | list[Entry], width: int) -> list[str]:
    return [f"  {entry.words:<{width}}  {entry.summary}" for entry in entries]


def overview() -> str:
    """What `trailboss` and `trailboss --help` print."""
    width = max(len(entry.words) for _, entries in SECTIONS for entry in entries)
    lines = [
        f"{_style('trailboss', '1')} {__version__}: all of wrangler, and what comes before and after it.",
        "",
        f"{_style('Usage', '1')}  trailboss COMMAND [OPTIONS]",
    ]
    for title, entries in SECTIONS:
        lines += ["", _style(title, "1"), *_rows(entries, width)]
    lines += ["", _style("Handed to wrangler, with environment and target resolved", "1"), *_folded(WRANGLER)]
    lines += ["", _style("Everywhere", "1"), *_EVERYWHERE]
    lines += ["", "`trailboss COMMAND --help` has the options and examples of each."]
    return "\n".join(lines)


_EVERYWHERE = (
    "  -e, --env NAME        Environment (else TRAILBOSS_ENV, CLOUDFLARE_ENV, the git branch)",
    "      --target NAME     sandbox, sandbox:NAME or cloudflare (else TRAILBOSS_TARGET, trailboss.toml)",
    "  -c, --config FILE     wrangler configuration file",
    "      --cwd FOLDER      Run as if started in this folder",
    "      --json            One JSON document on standard output",
    "      --stats           How many API requests were made",
    "      --verbose         Say more; show the trace of an unexpected error",
    "  -y, --yes             Answer every question with yes",
    "      --no-color        No colours, no moving progress (also NO_COLOR)",
    "  -v, --version         The version",
)


def _folded(words: dict[str, str], width: int = 92) -> list[str]:
    lines = [" "]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > width:
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines


def group(name: str) -> str:
    """What `trailboss versions` prints."""
    entries = members(name)
    width = max(len(entry.words) for entry in entries)
    lines = [f"{_style('Usage', '1')}  trailboss {name} COMMAND [OPTIONS]", "", *_rows(entries, width)]
    return "\n".join([*lines, "", f"`trailboss {name} COMMAND --help` has the options and examples of each."])
