"""The expressions of rules, read before Cloudflare reads them: syntax, types, misspelled names.

    problem('http.host eq shop.example.com')
    # column 14: a text stands in double quotes: "shop.example.com"
    #     http.host eq shop.example.com
    #                  ^

`not` binds tightest, then `and`, `xor`, `or`. On the left of an operator stands a field or a function, on the
right a literal. https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

from __future__ import annotations

from collections.abc import Collection

from trailboss.resources.expression_patterns import PatternReader
from trailboss.resources.expression_scanner import LIST, NAME, NUMBER, RAW, SYMBOL, Wrong, near, upwards
from trailboss.resources.expression_words import FIELDS, FUNCTIONS, OPERATORS, ROOTS, TAKES

LONGEST = 4096
DEEPEST = 60
WIDTH = 72
_JOINTS = (("or", "||"), ("xor", "^^"), ("and", "&&"))
_SPOKEN = {
    "string": "a text",
    "int": "a number",
    "ip": "an address",
    "bool": "true or false",
    "any": "a value",
}


def problem(expression: str) -> str | None:
    """What is wrong, with its column (from 1) and a caret below it; None when nothing is known against it."""
    if len(expression) > LONGEST:
        return f"the expression has {len(expression)} characters; Cloudflare allows {LONGEST}"
    try:
        _Reader(expression).whole()
    except Wrong as wrong:
        return _pointed(expression, wrong)
    return None


def _pointed(expression: str, wrong: Wrong) -> str:
    start = expression.rfind("\n", 0, wrong.at) + 1
    line, column = expression[start:].split("\n", 1)[0].expandtabs(1), wrong.at - start
    first = max(0, column - WIDTH // 2) if len(line) > WIDTH else 0
    place = f"line {expression.count(chr(10), 0, wrong.at) + 1}, " if "\n" in expression.strip() else ""
    caret = " " * (column - first) + "^"
    return f"{place}column {column + 1}: {wrong.message}\n    {line[first : first + WIDTH]}\n    {caret}"


class _Reader(PatternReader):
    """Reads from left to right; `at` is where it is."""

    def whole(self) -> None:
        self.space()
        if self.at == len(self.text):
            raise self.wrong("the expression is empty; `true` fits every request")
        self.truth(self.joined(0), 0)
        if self.at < len(self.text):
            if self.text[self.at] == ")":
                raise self.wrong("this ) closes nothing")
            raise self.wrong("`and`, `or` or the end was expected here")

    def joined(self, level: int) -> str:
        """Operands of the operators of `level` and of those that bind tighter; the type of the whole."""
        if level == len(_JOINTS):
            return self.negated()
        start = self.at
        kind = self.joined(level + 1)
        while self.word(*_JOINTS[level]):
            self.answer(kind, start)
            again = self.at
            other = self.joined(level + 1)
            self.answer(other, again)
            if kind.startswith("each:") != other.startswith("each:"):
                self.truth(kind, start)
                self.truth(other, again)
            kind = "each:bool" if kind.startswith("each:") else "bool"
        return kind

    def negated(self) -> str:
        self.deeper()
        start = self.at
        if self.word("not") or (not self.text.startswith("!=", self.at) and self.take("!")):
            inner = self.at
            kind = self.negated()
            self.answer(kind, inner)
        elif self.take("("):
            kind = self.joined(0)
            if not self.take(")"):
                raise self.wrong(f"a ) is missing for the ( in column {start + 1}")
        else:
            kind = self.comparison()
        self.depth -= 1
        return kind

    def comparison(self) -> str:
        start = self.at
        kind, each = self.operand()
        at = self.at
        operator = self.operator()
        if operator is None:
            return f"each:{kind}" if each else kind
        if kind.startswith(("list:", "map:")):
            how = "[0], or any(…[*] …)" if kind.startswith("list:") else '["name"]'
            raise self.wrong(
                f"'{self.text[start:at].strip()}' holds several values: take one with {how}", start
            )
        if kind != "any" and kind not in TAKES[operator]:
            raise self.wrong(f"`{operator}` does not compare {_SPOKEN[kind]}", at)
        if operator == "in":
            self.several(kind)
        else:
            self.literal(kind, operator)
        return "each:bool" if each else "bool"

    def operand(self) -> tuple[str, bool]:
        """A function or a field with its indexes: the type, and whether [*] makes it each of several."""
        start = self.at
        if self.text.startswith(('"', "'"), start) or RAW.match(self.text, start):
            raise self.wrong("a field or a function was expected here; a text stands on the right")
        found = NAME.match(self.text, start)
        if found is None:
            raise self.wrong("a field was expected here")
        name = found[0]
        self.advance(found.end())
        if name in ("true", "false"):
            return "bool", False
        if self.text.startswith("(", self.at):
            return self.indexed(name, start, self.call(name, start))
        return self.indexed(name, start, self.field(name, start))

    def field(self, name: str, start: int) -> str:
        if name in FIELDS:
            return FIELDS[name]
        meant = near(name, FIELDS)
        if meant or name.partition(".")[0] not in ROOTS:
            raise self.wrong(
                f"there is no field '{name}'" + (f"; did you mean {meant}?" if meant else ""), start
            )
        return "any"

    def indexed(self, name: str, start: int, kind: str) -> tuple[str, bool]:
        each = False
        while self.adjoins("["):
            self.take("[")
            at = self.at
            if self.take("*"):
                each = True
                self.index(name, kind, ("list", "map"), start)
            elif NUMBER.match(self.text, at):
                if self.number() < 0:
                    raise self.wrong("an index counts from 0", at)
                self.index(name, kind, ("list",), start)
            else:
                key = self.quoted()
                if name.endswith(".headers") and key != key.lower():
                    raise self.wrong(f'names of headers are in lower case here: "{key.lower()}"', at)
                self.index(name, kind, ("map",), start)
            if not self.take("]"):
                raise self.wrong("a ] is missing")
            kind = kind.partition(":")[2] or "any"
        return kind, each

    def index(self, name: str, kind: str, fits: Collection[str], start: int) -> None:
        if kind != "any" and kind.partition(":")[0] not in fits:
            raise self.wrong(f"'{name}' is {_SPOKEN.get(kind, 'a table')} and has no such index", start)

    def call(self, name: str, start: int) -> str:
        """The type of a function's value; for an argument with [*] it has as many values as that."""
        least, most, kind = FUNCTIONS.get(name, (0, 99, "any"))
        meant = None if name in FUNCTIONS else near(name, FUNCTIONS)
        if meant:
            raise self.wrong(f"there is no function '{name}'; did you mean {meant}?", start)
        self.take("(")
        arguments: list[str] = []
        while not self.take(")"):
            if arguments and not self.take(","):
                raise self.wrong(f"a , or a ) is missing in the arguments of {name}")
            at = self.at
            arguments.append(self.argument())
            if len(arguments) > 1 and arguments[-1].startswith("each:"):
                raise self.wrong("only the first argument may have [*]", at)
        if not least <= len(arguments) <= most:
            counts = str(least) if least == most else f"{least} to {most}"
            raise self.wrong(f"{name} takes {counts} arguments, not {len(arguments)}", start)
        if name in ("any", "all"):
            if arguments[0] not in ("list:bool", "each:bool", "each:any", "any"):
                raise self.wrong(f"{name} takes a comparison with [*]", start)
            return kind
        return f"list:{kind}" if any(one.startswith("each:") for one in arguments) else kind

    def argument(self) -> str:
        """The type of a literal, or of an expression."""
        if RAW.match(self.text, self.at) or self.text.startswith('"', self.at):
            self.quoted()
            return "string"
        if NUMBER.match(self.text, self.at):
            self.number()
            return "int"
        before = self.depth
        self.deeper()
        kind = self.negated()
        self.depth = before
        if kind == "each:bool" and NAME.match(self.text, self.at):
            raise self.wrong("put ( ) around what `and`, `or` and `xor` join in an argument")
        return kind

    def operator(self) -> str | None:
        at = self.at
        symbol = self.match(SYMBOL)
        if symbol:
            return OPERATORS[symbol]
        if self.text.startswith("=", at):
            raise self.wrong("`=` is not an operator: write `eq` or `==`")
        found = NAME.match(self.text, at)
        if found is None or found[0] in ("or", "and", "xor", "not"):
            return None
        if found[0] == "strict":
            if not self.text.startswith("strict wildcard", at):
                raise self.wrong("`strict` stands before `wildcard` only, with one blank", at)
            self.advance(at + len("strict wildcard"))
            return "strict wildcard"
        if found[0] not in OPERATORS:
            meant = near(found[0], OPERATORS)
            raise self.wrong(
                f"there is no operator '{found[0]}'" + (f"; did you mean {meant}?" if meant else "")
            )
        self.advance(found.end())
        return OPERATORS[found[0]]

    def literal(self, kind: str, operator: str) -> None:
        """One value of the type `kind`."""
        at = self.at
        if operator == "matches":
            self.pattern()
            return
        found = self.value(kind, networks=False)
        if kind not in ("any", found):
            raise self.wrong(f"{_SPOKEN[kind]} was expected here, not {_SPOKEN[found]}", at)
        if operator.endswith("wildcard") and "**" in self.text[at : self.at]:
            raise self.wrong("a pattern of `wildcard` has no two * together", at)

    def several(self, kind: str) -> None:
        """`{…}` with values and ranges, or the name of a list."""
        if self.match(LIST):
            return
        if not self.take("{"):
            raise self.wrong('`in` stands before {"a" "b"} or the $name of a list')
        empty = True
        while not self.take("}"):
            at, empty = self.at, False
            if self.text.startswith(",", at):
                raise self.wrong("values stand side by side here, without a comma")
            if at == len(self.text):
                raise self.wrong("a } is missing")
            found = self.value(kind, networks=True)
            if kind not in ("any", found):
                raise self.wrong(f"{_SPOKEN[kind]} was expected here, not {_SPOKEN[found]}", at)
            if self.text.startswith("..", self.at):
                self.range(found, at)
        if empty:
            raise self.wrong("the set is empty")

    def range(self, kind: str, start: int) -> None:
        """The rest of `1..5` or `10.0.0.1..10.0.0.9`, which has no white space and goes upwards."""
        first, adjoins = self.text[start : self.end], self.adjoins("..")
        self.take("..")
        adjoins = adjoins and self.at == self.end
        at = self.at
        last = self.value(kind, networks=False)
        if kind not in ("int", "ip") or last != kind or "/" in first or not adjoins:
            raise self.wrong("a range is two numbers or two addresses with nothing but .. in between", start)
        if not upwards(kind, first, self.text[at : self.end]):
            raise self.wrong("the range goes downwards, or from one kind of address to another", start)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong("this is nested too deeply")

    def answer(self, kind: str, start: int) -> None:
        """Refuse what is neither true nor false, nor several of these."""
        if kind != "each:bool":
            self.truth(kind, start)

    def truth(self, kind: str, start: int) -> None:
        """Refuse what is neither true nor false."""
        if kind in ("list:bool", "each:bool"):
            raise self.wrong("[*] makes several answers: put any(…) or all(…) around it", start)
        if kind not in ("bool", "any"):
            raise self.wrong("an operator with a value is missing here, such as `eq …`")
