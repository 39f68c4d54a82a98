"""Turn what wrangler printed into an error with a place, or into warnings."""

from __future__ import annotations

import re
from pathlib import Path

from trailboss.build.wrangler import Output
from trailboss.errors import BuildError
from trailboss.values import Location

_BLOCK = re.compile(r"^\s*(?:✘ \[ERROR\]|X \[ERROR\]|▲ \[WARNING\]) ?(.*)$")
_PLACE = re.compile(r"^\s+([^\s:][^:]*):(\d+):(\d+):\s*$")
_NOISE = re.compile(r"^\s*(🪵|at |Logs were written|If you think this is a bug)")


def failure(output: Output, directory: Path) -> BuildError:
    """The error for a wrangler that ended with a failure.

    Codes: TB3101 the code does not bundle, TB3102 the entry file is missing, TB3103 `build.command` failed,
    TB3104 wrangler refused the project for another reason.
    """
    text = output.stderr + "\n" + output.stdout
    if "[custom build]" in text and ("non-zero status" in text or "ERROR] Running custom build" in text):
        return _custom_build(text)
    headline, where, detail = _first_error(text, directory)
    if where is not None:
        return BuildError("TB3101", headline, where=where, hint=detail)
    if "entry-point file" in headline or "Missing entry-point" in headline:
        return BuildError(
            "TB3102", headline, hint=detail or "Check `main`, or run the build that makes the file."
        )
    return BuildError("TB3104", headline, hint=detail or f"wrangler ended with status {output.status}.")


def warnings(output: Output) -> tuple[str, ...]:
    """Each warning of the bundler, as one paragraph.

    What wrangler says of the configuration is left out: the config room says that, with places.
    """
    found: list[list[str]] = []
    current: list[str] | None = None
    for line in (output.stderr + "\n" + output.stdout).splitlines():
        if "▲ [WARNING]" in line:
            current = [line.split("[WARNING]", 1)[1].strip()]
            found.append(current)
        elif current is not None and (line.startswith("  ") or not line.strip()):
            current.append(line.rstrip())
        else:
            current = None
    paragraphs = ("\n".join(lines).strip() for lines in found)
    return tuple(text for text in paragraphs if not text.startswith("Processing "))


def _first_error(text: str, directory: Path) -> tuple[str, Location | None, str]:
    """(headline, place, the lines below it) of the innermost first error."""
    lines = text.splitlines()
    starts = [index for index, line in enumerate(lines) if _BLOCK.match(line) and "ERROR" in line]
    if not starts:
        tail = [line for line in lines if line.strip() and not _NOISE.match(line)][-6:]
        return (tail[-1].strip() if tail else "wrangler failed and said nothing"), None, "\n".join(tail[:-1])
    first = starts[0]
    if "Build failed with" in lines[first] and len(starts) > 1:
        first = starts[1]
    match = _BLOCK.match(lines[first])
    headline = match.group(1).strip() if match else lines[first].strip()
    body = []
    for line in lines[first + 1 :]:
        if _BLOCK.match(line) or line.lstrip().startswith("🪵"):
            break
        body.append(line)
    return headline, _place(body, directory), _detail(body)


def _place(body: list[str], directory: Path) -> Location | None:
    for line in body:
        match = _PLACE.match(line)
        if match:
            file, row, column = match.groups()
            # esbuild counts columns from 0
            return Location(directory / file, int(row), int(column) + 1)
    return None


def _detail(body: list[str]) -> str:
    kept = [line.strip("\n") for line in body if line.strip() and not _NOISE.match(line)]
    return "\n".join(line for line in kept if not _PLACE.match(line))[:2000]


def _custom_build(text: str) -> BuildError:
    mark = "[custom build] "
    said = [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark) and line != mark]
    command = next((line for line in said if line.startswith("Running: ")), "").removeprefix("Running: ")
    status = re.search(r"(?:non-zero status \(|failed with exit code )(\d+)", text)
    printed = "\n".join(line for line in said if line.strip() and not line.startswith("Running: "))
    return BuildError(
        "TB3103",
        f"the build command failed with status {status.group(1) if status else '?'}: {command}",
        hint=printed[-2000:] or "It printed nothing.",
    )
