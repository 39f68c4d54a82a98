"""Whether an expression of Cloudflare's Rules language is well formed: syntax, names and types.

A parser of the sandbox's own for the language of rules, in the engine's order (`not`, `and`, `xor`, `or`) and
with its peculiarities: values are separated by white space, text needs quotes, addresses have none. Lists
(`in $name`) are not looked up.
https://developers.cloudflare.com/ruleset-engine/rules-language/
"""

from __future__ import annotations

import re

from trailboss.sandbox.products.expression_scheme import (
    BOOL,
    FIELDS,
    FUNCTIONS,
    ONLY_IN,
    ONLY_IN_TRANSFORMS,
    Function,
    Type,
)
from trailboss.sandbox.products.expression_source import SPACE, ExpressionError, Source, check_pattern

__all__ = ["ExpressionError", "check_filter", "check_value"]

LONGEST = 4096
"""Characters of an expression."""
DEEPEST = 64
TRANSFORMS = frozenset(
    {
        "http_request_dynamic_redirect",
        "http_request_late_transform",
        "http_request_transform",
        "http_response_headers_transform",
    }
)
_EQUALITY = ("eq", "==", "ne", "!=")
_ORDER = ("le", "<=", "lt", "<", "ge", ">=", "gt", ">")
_TEXT = ("contains", "matches", "~", "strict wildcard", "wildcard")
_BITS = ("&", "bitwise_and")
_ALL = (*_EQUALITY, *_ORDER, *_TEXT, "in", *_BITS)
_MANY = Type("bool", "a")
_LEVELS = (("or", "||"), ("xor", "^^"), ("and", "&&"))

_HEADERS = ("http_request_late_transform", "http_response_headers_transform")


def check_filter(text: str, phase: str = "") -> None:
    """A rule's condition.

    Raises:
        ExpressionError: it does not parse, names something unknown, or is no truth value.
    """
    source = Source(text)
    if len(text) > LONGEST:
        raise source.fail(f"expression is longer than {LONGEST} characters", 0, 1)
    kind = _Parser(source, phase).logical()
    _end(source)
    if kind != BOOL:
        raise source.fail(f"expected value of type Bool, but got {kind}", 0)


def check_value(text: str, phase: str = "") -> None:
    """An expression that makes text (a redirect's target, a header's value); a header may also be an address.

    Raises:
        ExpressionError: it does not parse, names something unknown, or makes something else.
    """
    source = Source(text)
    kind = _Parser(source, phase).argument("any")
    _end(source)
    bases = ("bytes", "ip") if phase in _HEADERS else ("bytes",)
    if kind.shape or kind.each or kind.base not in bases:
        raise source.fail(f"expected value of type Bytes, but got {kind}", 0)


def _end(source: Source) -> None:
    source.space()
    if source.rest:
        raise source.fail("unrecognised input")


class _Parser:
    """Each method reads one construct and returns its type."""

    def __init__(self, source: Source, phase: str) -> None:
        self.source, self.phase, self.depth = source, phase, 0

    def logical(self, level: int = 0) -> Type:
        """Operands of one kind, combined: the loosest operator first."""
        if level == len(_LEVELS):
            return self.simple()
        kind = self.logical(level + 1)
        while self.source.take(*_LEVELS[level]):
            self.source.space()
            start = self.source.at
            other = self.logical(level + 1)
            if other != kind:
                raise self.source.fail(
                    f"expected value of type {kind}, but got {other}", start, self.source.at - start
                )
        return kind

    def simple(self) -> Type:
        """`not x`, `(x)` or a comparison."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.source.fail("expression is nested too deeply", length=1)
        if self.source.take("not", "!"):
            kind = self.simple()
        elif self.source.take("("):
            kind = self.logical()
            self.source.need(")")
        else:
            kind = self.comparison()
        self.depth -= 1
        return kind

    def comparison(self) -> Type:
        """A truth value, or a value with an operator and what it is compared to."""
        source = self.source
        if source.take("true", "false"):
            return BOOL
        source.space()
        start = source.at
        kind = self.value()
        length = source.at - start
        operator = source.take(*_ALL)
        if kind.shape:
            if operator or kind.base != "bool":
                raise source.fail(f"cannot perform this operation for type {kind}", start, length)
            return kind
        if operator:
            self._compare(kind, operator)
        elif kind.base != "bool":
            source.space()
            raise source.fail("expected ComparisonOp")
        return _MANY if kind.each else BOOL

    def _compare(self, kind: Type, operator: str) -> None:
        source = self.source
        fits = operator in _EQUALITY or (operator in _TEXT and kind.base == "bytes")
        fits = fits or (operator in _BITS and kind.base == "int")
        if not (fits or (kind.base != "bool" and operator in (*_ORDER, "in"))):
            start = source.at - len(operator)
            raise source.fail(f"cannot perform this operation for type {kind}", start, len(operator))
        source.space()
        if operator == "in":
            self._set(kind)
        elif operator in {"matches", "~"}:
            self._pattern()
        elif operator in {"wildcard", "strict wildcard"}:
            self._wildcard()
        else:
            self._literal(kind, network=False)

    def _set(self, kind: Type) -> None:
        source = self.source
        if source.rest.startswith("$"):
            source.list_name()
            return
        source.need("{")
        source.space()
        while not source.rest.startswith("}"):
            self._literal(kind, network=True)
            source.space()
        source.need("}")

    def _literal(self, kind: Type, *, network: bool) -> None:
        source = self.source
        if kind.base == "bytes":
            source.string()
        elif kind.base == "ip":
            source.address(network=network)
        elif kind.base == "bool":
            if not source.take("true", "false"):
                raise source.fail("expected bool")
        else:
            start, first = source.at, source.integer()
            if network and source.rest.startswith(".."):
                source.at += 2
                last = source.integer()
                if last < first:
                    raise source.fail("incompatible range bounds", start, source.at - start)

    def _pattern(self) -> None:
        start = self.source.at
        pattern = self.source.pattern()
        try:
            check_pattern(pattern)
        except (re.error, ValueError) as error:
            reason = f"regex parse error: {error}"
            raise self.source.fail(reason, start, self.source.at - start) from None

    def _wildcard(self) -> None:
        start = self.source.at
        if "**" in re.sub(r"\\.", "", self.source.string()):
            reason = "wildcard parse error: double star is not allowed"
            raise self.source.fail(reason, start, self.source.at - start)

    def value(self) -> Type:
        """A field or a function's result, with its indexes."""
        source = self.source
        start = source.at
        name = source.name()
        if not name:
            raise source.fail("expected name")
        if self._known(name) and source.rest.lstrip(SPACE).startswith("("):
            kind = self.call(FUNCTIONS[name])
        elif found := FIELDS.get(name) or ONLY_IN.get(self.phase, {}).get(name):
            kind = found
        else:
            raise source.fail("unknown identifier", start, len(name))
        while source.rest.startswith("["):
            kind = self._index(kind)
        return kind

    def _known(self, name: str) -> bool:
        return name in FUNCTIONS and (
            name not in ONLY_IN_TRANSFORMS or self.phase in TRANSFORMS or not self.phase
        )

    def _index(self, kind: Type) -> Type:
        source = self.source
        start = source.at
        source.need("[")
        source.space()
        if source.take("*"):
            key, fits = "MapEach", bool(kind.shape)
        elif source.rest.startswith('"'):
            key, fits = f'MapKey("{source.string()}")', kind.shape[:1] == "m"
        else:
            at, place = source.at, source.integer()
            if place < 0:
                raise source.fail("expected positive integer as index", at, source.at - at)
            key, fits = f"ArrayIndex({place})", kind.shape[:1] == "a"
        source.need("]")
        if not fits:
            raise source.fail(f"cannot access index {key} for type {kind}", start, source.at - start)
        inner = kind.inner()
        return Type(inner.base, inner.shape, True) if key == "MapEach" else inner

    def call(self, function: Function) -> Type:
        """A function's arguments; of unfolded ones the results are a list again."""
        source = self.source
        start = source.at
        source.need("(")
        kinds: list[Type] = []
        while not self._closes():
            if kinds:
                source.need(",")
            at = min(len(kinds), len(function.parameters) - 1)
            begin = source.at
            kinds.append(self.argument(function.parameters[at]))
            if len(kinds) > 1 and kinds[-1].each:
                raise source.fail("invalid use of map each access operator", begin, source.at - begin)
            if len(kinds) > len(function.parameters) and not function.more:
                break
        if len(kinds) < function.needed or (len(kinds) > len(function.parameters) and not function.more):
            wanted = f"{function.needed}" + (" or more" if function.more else "")
            raise source.fail(
                f"expected {wanted} arguments, but found {len(kinds)}", start, source.at - start
            )
        source.need(")")
        base = "bytes" if function.returns == "texts" else function.returns
        shape = "a" * (function.returns == "texts") + "a" * any(kind.each for kind in kinds)
        return Type(base, shape)

    def _closes(self) -> bool:
        self.source.space()
        return self.source.rest.startswith(")")

    def argument(self, wanted: str) -> Type:
        """One argument: a literal, a value, or a comparison without brackets around it."""
        source = self.source
        source.space()
        start = source.at
        kind = self._argument(wanted)
        bad = {
            "list": not kind.shape,
            "field": bool(kind.shape),
            "any": False,
        }.get(wanted, kind.shape != "" or kind.base != wanted)
        if bad:
            names = {"list": "Array", "field": "Bytes"}
            expected = names.get(wanted) or str(Type(wanted))
            raise source.fail(f"expected value of type {expected}, but got {kind}", start, source.at - start)
        return kind

    def _argument(self, wanted: str) -> Type:
        source = self.source
        if source.sees('"') or re.match(r'r#*"', source.rest):
            source.string()
            return Type("bytes")
        if re.match(r"-?\d", source.rest) and wanted != "ip":
            source.integer()
            return Type("int")
        if source.rest[:1] in {"(", "!"} or source.sees("not"):
            return self.simple()
        before = source.at
        kind = Type("bool") if source.take("true", "false") else self.value()
        if source.take(*_ALL):
            source.at = before
            return self.comparison()
        return kind
