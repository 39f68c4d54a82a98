"""The data set `workersInvocationsAdaptive`: filter, group, order, limit.

Times of execution are those the edge measured; the runtime here measures no processor time, which is 0.
https://developers.cloudflare.com/analytics/graphql-api/features/filtering/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from trailboss.sandbox.products.graphql_document import Field, Malformed
from trailboss.sandbox.products.invocations import Row, quantile

NAME = "workersInvocationsAdaptive"
MOST = 10_000
GIGABYTES = 0.128
"""Memory that a Worker's duration is charged with."""
_NOBODY = Row(0, "", "", "", 0, 0.0, {})
_FINE = ("success", "clientDisconnected")


def _every(seconds: int) -> Callable[[Row], str]:
    return lambda row: _iso(row.second // seconds * seconds)


def _iso(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


DIMENSIONS: dict[str, Callable[[Row], str]] = {
    "datetime": _every(1),
    "datetimeMinute": _every(60),
    "datetimeFiveMinutes": _every(300),
    "datetimeFifteenMinutes": _every(900),
    "datetimeHour": _every(3600),
    "datetimeSixHours": _every(21600),
    "date": lambda row: _iso(row.second)[:10],
    "scriptName": lambda row: row.script,
    "scriptVersion": lambda row: row.version,
    "status": lambda row: row.status,
    "usageModel": lambda _: "standard",
    "environmentName": lambda _: "production",
    "dispatchNamespaceName": lambda _: "",
    "coloCode": lambda _: "BOX",
}


def _requests(rows: list[Row]) -> float:
    return sum(row.requests for row in rows)


def _wall(rows: list[Row]) -> float:
    return round(sum(row.us for row in rows))


def _nothing(_: list[Row]) -> float:
    return 0


SUMS: dict[str, Callable[[list[Row]], float]] = {
    "requests": _requests,
    "errors": lambda rows: _requests([row for row in rows if row.status not in _FINE]),
    "clientDisconnects": lambda rows: _requests([row for row in rows if row.status == _FINE[1]]),
    "wallTime": _wall,
    "requestDuration": _wall,
    "duration": lambda rows: _wall(rows) / 1e6 * GIGABYTES,
    "subrequests": _nothing,
    "cpuTimeUs": _nothing,
    "responseBodySize": _nothing,
}
_QUANTILE = re.compile(
    r"(cpuTime|wallTime|requestDuration|duration|responseBodySize)P(25|50|75|90|95|99|999)"
)
_ORDER = re.compile(r"(?:(count)|(sum|quantiles)_(\w+?)|(\w+?))_(ASC|DESC)")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda have, want: have == want,
    "neq": lambda have, want: have != want,
    "gt": lambda have, want: have > want,
    "geq": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "leq": lambda have, want: have <= want,
    "in": lambda have, want: have in want,
    "notin": lambda have, want: have not in want,
    "like": lambda have, want: fnmatchcase(have, _pattern(want)),
    "notlike": lambda have, want: not fnmatchcase(have, _pattern(want)),
}


def answer(field: Field, rows: list[Row]) -> list[dict[str, Any]]:
    """What `field` asks of `rows`. Raises Malformed."""
    unknown = set(field.arguments) - {"filter", "limit", "orderBy"}
    if unknown:
        raise Malformed(f'error parsing args for "{NAME}": unknown arg {min(unknown)}')
    if not field.fields:
        raise Malformed(f'objects must have selections (field "{NAME}" has no selections)')
    limit = field.arguments.get("limit", MOST)
    if type(limit) is not int or not 0 < limit <= MOST:
        raise Malformed(f"limit must be positive number and not greater than {MOST}")
    passes = condition(field.arguments.get("filter") or {})
    groups = _grouped([row for row in rows if passes(row)], _dimensions(field.fields))
    for name in reversed(_listed(field.arguments.get("orderBy"))):
        groups.sort(key=_by(name), reverse=name.endswith("_DESC"))
    _shown(field.fields, [_NOBODY])  # a field there is not is refused where there is nothing to show, too
    return [_shown(field.fields, group) for group in groups[:limit]]


def span(field: Field) -> tuple[float, float]:
    """The seconds since 1970 between which rows can pass the filter, as far as it says so outright."""
    wanted = field.arguments.get("filter")
    since, until = 0.0, float(1 << 40)
    for key, value in wanted.items() if isinstance(wanted, dict) else ():
        if key in ("datetime_geq", "datetime_gt"):
            since = max(since, _moment(value).timestamp() - 1)
        elif key in ("datetime_leq", "datetime_lt"):
            until = min(until, _moment(value).timestamp() + 1)
    return since, until


def condition(wanted: Any) -> Callable[[Row], bool]:
    """A filter object as a question. Raises Malformed."""
    if not isinstance(wanted, dict):
        raise Malformed(f'error parsing args for "{NAME}": filter must be an object')
    checks: list[Callable[[Row], bool]] = []
    for key, value in wanted.items():
        if key in ("AND", "OR"):
            checks.append(_joined(all if key == "AND" else any, [condition(one) for one in _listed(value)]))
        else:
            checks.append(_one(key, value))
    return _joined(all, checks)


def _joined(
    how: Callable[[Iterable[bool]], bool], checks: list[Callable[[Row], bool]]
) -> Callable[[Row], bool]:
    return lambda row: how(check(row) for check in checks)


def _one(key: str, wanted: Any) -> Callable[[Row], bool]:
    name, _, operator = key.partition("_")
    dimension, compare = DIMENSIONS.get(name), _COMPARED.get(operator)
    if dimension is None or compare is None:
        raise Malformed(f'error parsing args for "{NAME}": filter: unknown field "{key}"')
    if operator in ("in", "notin"):
        value: Any = [_literal(name, one) for one in _listed(wanted)]
    else:
        value = _literal(name, wanted)
    if name.startswith("date"):
        return lambda row: compare(dimension(row).removesuffix("Z"), value)
    return lambda row: compare(dimension(row), value)


def _literal(name: str, value: Any) -> str:
    """A value as the dimension has it: times in UTC without the Z, so that they sort as text."""
    if not isinstance(value, str):
        raise Malformed(f'error parsing args for "{NAME}": filter: field "{name}" must be a string')
    if not name.startswith("date"):
        return value
    moment = _moment(value).astimezone(UTC).replace(tzinfo=None)
    return moment.strftime("%Y-%m-%d") if name == "date" else moment.isoformat()


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Malformed(f'error parsing args for "{NAME}": filter: "{value}" is not a time') from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _pattern(like: str) -> str:
    """`%` is any text; nothing else means anything."""
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", like).replace("%", "*")


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _dimensions(fields: list[Field]) -> list[str]:
    names = [inner.name for field in fields if field.name == "dimensions" for inner in field.fields or ()]
    for name in names:
        if name not in DIMENSIONS and name != "__typename":
            raise Malformed(f'unknown field "{name}"')
    return [name for name in names if name in DIMENSIONS]


def _grouped(rows: list[Row], names: list[str]) -> list[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(DIMENSIONS[name](row) for name in names), []).append(row)
    return list(groups.values())


def _by(order: Any) -> Callable[[list[Row]], Any]:
    found = _ORDER.fullmatch(order) if isinstance(order, str) else None
    if found is not None and found[1]:
        return _requests
    if found is not None and found[2] == "sum" and found[3] in SUMS:
        return SUMS[found[3]]
    if found is not None and found[2] == "quantiles" and _QUANTILE.fullmatch(found[3]):
        return lambda rows: _quantile(found[3], rows)
    if found is not None and found[4] in DIMENSIONS:
        return lambda rows: DIMENSIONS[found[4]](rows[0])
    raise Malformed(f'error parsing args for "{NAME}": orderBy: unknown value {order}')


def _quantile(name: str, rows: list[Row]) -> float:
    found = _QUANTILE.fullmatch(name)
    if found is None:
        raise Malformed(f'unknown field "{name}"')
    if found[1] in ("cpuTime", "responseBodySize"):
        return 0
    merged: dict[int, int] = {}
    for row in rows:
        for bucket, count in row.buckets.items():
            merged[bucket] = merged.get(bucket, 0) + count
    us = quantile(merged, int(found[2]) / (1000 if found[2] == "999" else 100))
    return us / 1e6 * GIGABYTES if found[1] == "duration" else us


def _sum(name: str, rows: list[Row]) -> float:
    if name not in SUMS:
        raise Malformed(f'unknown field "{name}"')
    return SUMS[name](rows)


def _average(name: str, _rows: list[Row]) -> float:
    if name != "sampleInterval":
        raise Malformed(f'unknown field "{name}"')
    return 1


_PARTS: dict[str, tuple[str, Callable[[str, list[Row]], Any]]] = {
    "dimensions": ("Dimensions", lambda name, rows: DIMENSIONS[name](rows[0])),
    "sum": ("Sum", _sum),
    "quantiles": ("Quantiles", _quantile),
    "avg": ("Avg", _average),
}


def _shown(fields: list[Field], rows: list[Row]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in fields:
        if field.name == "__typename":
            shown[field.alias] = "AccountWorkersInvocationsAdaptive"
        elif field.name == "count":
            shown[field.alias] = _requests(rows)
        elif field.name in _PARTS:
            shown[field.alias] = {**shown.get(field.alias, {}), **_part(field, rows)}
        else:
            raise Malformed(f'unknown field "{field.name}"')
    return shown


def _part(field: Field, rows: list[Row]) -> dict[str, Any]:
    kind, value = _PARTS[field.name]
    if not field.fields:
        raise Malformed(f'objects must have selections (field "{field.name}" has no selections)')
    shown = {}
    for inner in field.fields:
        if inner.fields is not None:
            raise Malformed(f'scalar fields must have not selections (field "{inner.name}" has selections)')
        typed = inner.name == "__typename"
        shown[inner.alias] = f"AccountWorkersInvocationsAdaptive{kind}" if typed else value(inner.name, rows)
    return shown
