"""The words of a rule's expression: texts, numbers, addresses, names. `expressions.py` has the grammar."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from ipaddress import ip_address, ip_interface, ip_network

from trailboss.resources.expression_words import FIELDS

SPACE = re.compile(r"[ \r\n]*")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
RAW = re.compile(r'r(#*)"(.*?)"\1', re.DOTALL)
NUMBER = re.compile(r"0x[0-9A-Fa-f]+\b|-?\d+(?![\w.:/])|-?\d+(?=\.\.)")
LARGEST = 1 << 63
ADDRESS = re.compile(r"[0-9A-Fa-f:]+(?:\.(?!\.)[0-9A-Fa-f:]+)*(?:/\d+)?")
LIST = re.compile(r"\$[a-z0-9_](?:[a-z0-9_.]*[a-z0-9_])?(?![\w.-])")
BYTES = re.compile(r"[0-9A-Fa-f]{2}(?:[:.-][0-9A-Fa-f]{2})+(?![\w:.-])")
SYMBOL = re.compile(r"==|!=|<=|>=|<|>|~|&(?!&)")
ESCAPE = re.compile(r'\\(?:["\\]|x[0-9A-Fa-f]{2}|[0-3][0-7]{2})')
WORD = re.compile(r"[^\s(){}\[\],]+")


class Wrong(Exception):
    """A mistake in an expression; `at` counts characters from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message, self.at = message, at


class Scanner:
    """Reads from left to right; `at` is where it is, always in front of a word, `end` behind the last one."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.end, self.depth = text, 0, 0, 0

    def value(self, kind: str, *, networks: bool) -> str:
        """One literal where one of `kind` is wanted; its type."""
        at = self.at
        if self.text.startswith('"', at) or RAW.match(self.text, at):
            self.quoted()
            return "string"
        if kind == "string" and self.match(BYTES):
            return "string"
        if NUMBER.match(self.text, at):
            self.number()
            return "int"
        if self.word("true", "false"):
            return "bool"
        found = ADDRESS.match(self.text, at)
        if found and _is_address(found[0], networks=networks):
            self.advance(found.end())
            return "ip"
        if self.text.startswith("'", at):
            raise self.wrong("a text stands in double quotes")
        bare = WORD.match(self.text, at)
        if bare is None:
            raise self.wrong("a value was expected here")
        if bare[0] in FIELDS:
            raise self.wrong("a field stands on the left of an operator only; here goes a value")
        if found and "/" in found[0]:
            self.network(found[0])
        raise self.wrong(f'a text stands in double quotes: "{bare[0]}"')

    def network(self, text: str) -> None:
        """Say what is wrong with a network, if it is one."""
        try:
            whole = ip_network(text, strict=False)
        except ValueError:
            return
        if text.partition("/")[0] != str(whole.network_address) and ip_interface(text) != ip_interface(whole):
            raise self.wrong(f"{text} is an address in a network, which is written {whole}")
        raise self.wrong(f"a network stands in a set: in {{{text}}}")

    def number(self) -> int:
        """A whole number of 64 bits: decimal, octal (leading 0) or hexadecimal (0x)."""
        at, digits = self.at, self.match(NUMBER)
        bare = digits.removeprefix("-")
        octal = len(bare) > 1 and bare[0] == "0" and not bare.startswith("0x")
        if octal and (bare != digits or not set(bare) <= set("01234567")):
            raise self.wrong("a number with a leading 0 is octal", at)
        value = int(digits, 8 if octal else 0)
        if not -LARGEST <= value < LARGEST:
            raise self.wrong("the number is too large", at)
        return value

    def quoted(self) -> str:
        """A text, `"…"` with escapes or raw as `r"…"`."""
        at = self.at
        raw = RAW.match(self.text, at)
        if raw:
            self.advance(raw.end())
            return raw[2]
        found = TEXT.match(self.text, at)
        if found is None:
            raise self.wrong(
                'a text is not closed with "' if self.text.startswith('"', at) else "a text was expected"
            )
        for slash in re.finditer(r"\\.", found[1], re.DOTALL):
            if not ESCAPE.match(found[1], slash.start()):
                raise self.wrong(
                    f'{slash[0]} is no escape: write \\\\ for one \\, or r"…"', at + 1 + slash.start()
                )
        self.advance(found.end())
        return found[1]

    def word(self, *words: str) -> bool:
        found = NAME.match(self.text, self.at)
        for word in words:
            if (found and found[0] == word) or (
                not word[0].isalpha() and self.text.startswith(word, self.at)
            ):
                self.advance(self.at + len(word))
                return True
        return False

    def take(self, symbol: str) -> bool:
        if not self.text.startswith(symbol, self.at):
            return False
        self.advance(self.at + len(symbol))
        return True

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.advance(found.end())
        return found[0]

    def adjoins(self, symbol: str) -> bool:
        """Whether `symbol` comes next, without white space in between."""
        return self.text.startswith(symbol, self.at) and self.at == self.end

    def advance(self, to: int) -> None:
        self.at = self.end = to
        self.space()

    def space(self) -> None:
        found = SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith("\t", self.at):
            raise self.wrong("a tab is no white space here: write blanks or a new line")

    def wrong(self, message: str, at: int | None = None) -> Wrong:
        """What to raise about the place `at`, or about this one."""
        return Wrong(message, self.at if at is None else at)


def upwards(kind: str, first: str, last: str) -> bool:
    """Whether a range of numbers or addresses does not go down."""
    if kind == "ip":
        one, two = ip_address(first), ip_address(last)
        return one.version == two.version and int(one) <= int(two)
    return Scanner(first).number() <= Scanner(last).number()


def near(name: str, known: Collection[str]) -> str | None:
    """The known name that `name` is most likely a misspelling of: one part of it is wrong by a letter or two,
    and not by a digit (`ja5` may be new)."""
    parts = name.lower().split(".")
    found = [other for other in known if _is_near(parts, other.split("."))]
    return next(iter(difflib.get_close_matches(name.lower(), found, 1, 0.0)), None)


def _is_near(parts: list[str], other: list[str]) -> bool:
    wrong = [pair for pair in zip(parts, other, strict=False) if pair[0] != pair[1]]
    if len(parts) != len(other) or len(wrong) > 1:
        return False
    if not wrong:
        return True
    (one, two), digits = wrong[0], str.maketrans("", "", "0123456789")
    return one.translate(digits) != two.translate(digits) and _edits(one, two) <= min(2, len(two) // 2)


def _edits(one: str, two: str) -> int:
    """Letters to add, drop or change to make one of the other (Levenshtein)."""
    row = list(range(len(two) + 1))
    for at, letter in enumerate(one, 1):
        last, row[0] = row[0], at
        for column, other in enumerate(two, 1):
            last, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, last + (letter != other)),
            )
    return row[-1]


def _is_address(text: str, *, networks: bool) -> bool:
    try:
        if "/" in text:
            ip_network(text)
            return networks
        ip_address(text)
    except ValueError:
        return False
    return True
