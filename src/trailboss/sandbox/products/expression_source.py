"""Reading an expression letter by letter: places, literals, and errors that point at them.

The wording of the errors is that of Cloudflare's open-source filter engine, which the API hands on:
https://github.com/cloudflare/wirefilter
"""

from __future__ import annotations

import ipaddress
import re
import warnings

SPACE = " \r\n"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_INTEGER = re.compile(r"(0x[0-9A-Fa-f]+|0[0-9A-Fa-f]*|-?[0-9A-Fa-f]+)")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")
_LIST = re.compile(r"\$([a-z0-9_](?:[a-z0-9_.]*[a-z0-9_])?)(?![a-z0-9_.])")
LARGEST = 1 << 63


class ExpressionError(ValueError):
    """What is wrong, in the engine's words, and a drawing of where."""

    def __init__(self, source: str, start: int, length: int, message: str) -> None:
        before = source[:start]
        line = before.count("\n")
        column = start - (before.rfind("\n") + 1)
        text = source.split("\n")[line] if source else ""
        marks = "^" * max(1, min(length, len(text) - column))
        drawing = f"{text}\n{' ' * column}{marks} {message}\n"
        super().__init__(f"Filter parsing error ({line + 1}:{column + 1}):\n{drawing}")
        self.reason, self.line, self.column = message, line + 1, column + 1


_RUST = (
    (re.compile(r"\\[pP](?:\{[^}]*\}|[A-Za-z])"), r"\\w"),
    (re.compile(r"\\x\{[0-9A-Fa-f]+\}"), "x"),
    (re.compile(r"\(\?<(?![=!])"), "(?P<"),
    (re.compile(r"\\z"), r"\\Z"),
)
"""What only the engine's regular expressions have, and something like it that Python's have, too."""
_NOT_RUST = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[1-9]|\(\?(?:<?[=!]|>|P=|\())")


def check_pattern(pattern: str) -> None:
    """Refuse a regular expression that the engine's library does not take, with ValueError or re.error."""
    found = _NOT_RUST.search(pattern)
    if found is not None:
        what = "backreferences are" if found.group()[-1].isdigit() else "look-around is"
        raise ValueError(f"{what} not supported")
    for theirs, ours in _RUST:
        pattern = theirs.sub(ours, pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # [[:alpha:]] is a class to the engine
        re.compile(pattern)


class Source:
    """An expression and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    @property
    def rest(self) -> str:
        """What was not read yet."""
        return self.text[self.at :]

    def fail(self, message: str, start: int | None = None, length: int | None = None) -> ExpressionError:
        """An error about `length` letters from `start` (from here on, to the end)."""
        begin = self.at if start is None else start
        return ExpressionError(
            self.text, begin, len(self.text) - begin if length is None else length, message
        )

    def space(self) -> None:
        """Pass over white space."""
        while self.at < len(self.text) and self.text[self.at] in SPACE:
            self.at += 1

    def sees(self, word: str) -> bool:
        """Whether `word` comes next; a word of letters must end there."""
        if not self.text.startswith(word, self.at):
            return False
        after = self.text[self.at + len(word) : self.at + len(word) + 1]
        if word == after == "&":
            return False
        return not (word[-1].isalpha() and (after.isalnum() or after in {"_", "."}) and after)

    def take(self, *words: str) -> str:
        """The first of `words` that comes next, read; "" when none does."""
        self.space()
        for word in words:
            if self.sees(word):
                self.at += len(word)
                return word
        return ""

    def need(self, word: str) -> None:
        """Read `word`, which must come next."""
        if not self.take(word):
            raise self.fail(f'expected literal "{word}"')

    def name(self) -> str:
        """An identifier with dots, read; "" when there is none."""
        found = _NAME.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def string(self) -> str:
        """A quoted or raw string, or bytes in hexadecimal (`E7:9E`)."""
        if raw := re.compile(r'r(#*)"').match(self.text, self.at):
            return self._raw(raw)
        if not self.sees('"'):
            return self._hexadecimal()
        start = self.at
        letters: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter == '"':
                self.at += 1
                return "".join(letters)
            letters.append(self._escape() if letter == "\\" else letter)
            self.at += 1
        raise self.fail("could not find an ending quote", start)

    def _raw(self, opening: re.Match[str]) -> str:
        closing = '"' + opening.group(1)
        end = self.text.find(closing, opening.end())
        if end < 0:
            raise self.fail("could not find an ending quote")
        self.at = end + len(closing)
        return self.text[opening.end() : end]

    def _escape(self) -> str:
        following = self.text[self.at + 1 : self.at + 4]
        if following[:1] in {'"', "\\"}:
            self.at += 1
            return following[0]
        if re.fullmatch(r"x[0-9A-Fa-f]{2}", following):
            self.at += 3
            return chr(int(following[1:], 16))
        if re.fullmatch(r"[0-3][0-7]{2}", following):
            self.at += 3
            return chr(int(following, 8))
        raise self.fail('expected ", xHH or OOO after \\', self.at + 1, 1)

    def _hexadecimal(self) -> str:
        start = self.at
        if len(self.rest) < 2:
            raise self.fail(f"expected 2 characters, but found {len(self.rest)}")
        letters: list[str] = []
        while True:
            pair = self.rest[:2]
            if not re.fullmatch(r"[0-9A-Fa-f]{2}", pair):
                raise self.fail("invalid digit found in string while parsing with radix 16", None, 2)
            letters.append(chr(int(pair, 16)))
            self.at += 2
            if self.rest[:1] not in {":", "-", "."}:
                break
            self.at += 1
        if len(letters) < 2:
            raise self.fail("expected byte separator", start + 2, 1)
        return "".join(letters)

    def integer(self) -> int:
        """A whole number of 64 bits: decimal, octal (leading 0) or hexadecimal (0x)."""
        found = _INTEGER.match(self.text, self.at)
        if found is None:
            raise self.fail("expected digit")
        digits = found.group()
        radix = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
        why = "invalid digit found in string"
        try:
            value = int(digits.removeprefix("0x"), radix)
            if not -LARGEST <= value < LARGEST:
                why = f"number too {'large' if value > 0 else 'small'} to fit in target type"
                raise ValueError
        except ValueError:
            raise self.fail(f"{why} while parsing with radix {radix}", length=len(digits)) from None
        self.at = found.end()
        return value

    def pattern(self) -> str:
        """A regular expression. In quotes it keeps its backslashes, but for the one before a quote; a quote
        in a class of characters does not end it."""
        if raw := re.compile(r'r(#*)"').match(self.text, self.at):
            return self._raw(raw)
        if not self.sees('"'):
            raise self.fail('expected " or r')
        start, inside = self.at, False
        letters: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            letter = self.text[self.at]
            self.at += 1
            if letter == '"' and not inside:
                return "".join(letters)
            if letter == "\\" and self.rest:
                letter = self.rest[0] if self.rest[0] == '"' and not inside else letter + self.rest[0]
                self.at += 1
            elif letter in "[]":
                inside = letter == "["
            letters.append(letter)
        raise self.fail("could not find an ending quote", start)

    def address(self, *, network: bool) -> str:
        """A bare IP address; inside `{}` also a network or a range."""
        first = self._one_address()
        if network and self.rest.startswith("/"):
            self.at += 1
            start, bits = self.at, self.integer()
            try:
                ipaddress.ip_network(f"{first}/{bits}")
            except ValueError as error:
                reason = "host part of address was not zero" if "host bits" in str(error) else str(error)
                raise self.fail(f"couldn't parse address in network: {reason}", start, 1) from None
        elif network and self.rest.startswith(".."):
            self.at += 2
            start, last = self.at, self._one_address()
            if first.version != last.version or int(last) < int(first):
                raise self.fail("incompatible range bounds", start, self.at - start)
        return str(first)

    def _one_address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
        found = _ADDRESS.match(self.text, self.at)
        text = (found.group() if found else "").partition("..")[0]
        try:
            value = ipaddress.ip_address(text)
        except ValueError:
            reason = "couldn't parse address in network: invalid IP address syntax"
            raise self.fail(reason, length=max(1, len(text))) from None
        self.at += len(text)
        return value

    def list_name(self) -> str:
        """`$name`, a list of the account or one of Cloudflare's own."""
        found = _LIST.match(self.text, self.at)
        if found is None:
            raise self.fail("expected ListName")
        self.at = found.end()
        return found.group(1)
