"""The regular expressions of `matches`. They have rules of their own: quoted ones keep their backslashes.

    http.request.uri.path matches "^/autodiscover\\.(xml|src)$"

Cloudflare's are those of Rust's regex, without look-around and back-references; what only those have is put
into something that Python can read. https://docs.rs/regex/latest/regex/#syntax
"""

from __future__ import annotations

import re
import warnings

from trailboss.resources.expression_scanner import RAW, Scanner

# A class of characters may have a quote in it.
_QUOTED = re.compile(r'"((?:\\.|\[(?:\\.|[^\]\\])*\]|[^"\\\[])*)"', re.DOTALL)
_LOOKS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(\(\?<?[=!])", re.DOTALL)
_REFERS = re.compile(r"\\(?:([1-9])|.)|\(\?(P=)", re.DOTALL)
_ONLY_RUST = re.compile(
    r"\\[pP](?:\{\^?[\w=-]+\}|\w)|\\x\{[0-9A-Fa-f]+\}|\\[zCXR]|\(\?<(?=\w)|\\.", re.DOTALL
)
_READ_AS = {"\\z": "\\Z", "(?<": "(?P<"}


class PatternReader(Scanner):
    """A scanner that also reads patterns."""

    def pattern(self) -> None:
        """A regular expression that Cloudflare can read."""
        at = self.at
        found = RAW.match(self.text, at)
        text = found[2] if found else ""
        if found is None:
            found = _QUOTED.match(self.text, at)
            if found is None:
                closes = self.text.startswith('"', at)
                raise self.wrong(
                    'a pattern is not closed with "' if closes else "a pattern stands in double quotes"
                )
            text = found[1]
        why = trouble(text)
        if why:
            raise self.wrong(f"the pattern cannot be read: {why}", at)
        self.advance(found.end())


def trouble(pattern: str) -> str | None:
    """Why Cloudflare would not take a pattern; None when nothing is known against it."""
    if any(found[1] for found in _LOOKS.finditer(pattern)):
        return "there is no look-around, (?=…)"
    if any(found[1] or found[2] for found in _REFERS.finditer(pattern)):
        return r"there are no references back, \1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # classes such as [[:alpha:]]
            re.compile(_ONLY_RUST.sub(_python, pattern))
    except (re.error, OverflowError) as error:
        return str(error)
    return None


def _python(found: re.Match[str]) -> str:
    text = found[0]
    if text in _READ_AS:
        return _READ_AS[text]
    return r"\w" if len(text) > 2 and text[1] in "pP" else "x" if text.startswith("\\x{") else text
