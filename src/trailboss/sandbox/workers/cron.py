"""Cloudflare's cron expressions: five fields, weekday 1 = Sunday, names, L, W and #, in UTC.

https://developers.cloudflare.com/workers/configuration/cron-triggers/
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
HORIZON_DAYS = 366 * 5
MOST_PER_JUMP = 1000
"""How many missed firings one jump of the clock makes up for; the rest are skipped."""


@dataclass(frozen=True, slots=True)
class Cron:
    """One expression, parsed. Days of the month and of the week may be rules instead of numbers."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    day_rules: tuple[str, ...]
    months: frozenset[int]
    weekdays: frozenset[int]
    weekday_rules: tuple[str, ...]
    any_day: bool
    any_weekday: bool

    def next_after(self, moment: float) -> float | None:
        """The first full minute after `moment` (Unix seconds) that matches, None if there is none for
        years."""
        when = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = when + timedelta(days=HORIZON_DAYS)
        while when < last:
            if not self._day(when):
                when = (when + timedelta(days=1)).replace(hour=0, minute=0)
            elif when.hour not in self.hours:
                when = (when + timedelta(hours=1)).replace(minute=0)
            elif when.minute not in self.minutes:
                when += timedelta(minutes=1)
            else:
                return when.timestamp()
        return None

    def _day(self, when: datetime) -> bool:
        if when.month not in self.months:
            return False
        by_day = when.day in self.days or any(_day_rule(rule, when) for rule in self.day_rules)
        weekday = when.isoweekday() % 7 + 1
        by_week = weekday in self.weekdays or any(_weekday_rule(rule, when) for rule in self.weekday_rules)
        if self.any_day or self.any_weekday:
            return (self.any_day or by_day) and (self.any_weekday or by_week)
        return by_day or by_week  # both restricted: either is enough, as in every cron


def parse(expression: str) -> Cron:
    """An expression.

    Raises:
        ValueError: with what is wrong with it.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"{expression!r} has {len(fields)} fields; five are needed")
    minute, hour, day, month, weekday = (field.upper() for field in fields)
    days, day_rules = _with_rules(day, r"L|LW|L-\d{1,2}|\d{1,2}W", 1, 31, {})
    weekdays, weekday_rules = _with_rules(weekday, r"L|[1-7A-Z]{1,3}L|[1-7A-Z]{1,3}#[1-5]", 1, 7, DAYS)
    return Cron(
        _numbers(minute, 0, 59, {}),
        _numbers(hour, 0, 23, {}),
        days,
        day_rules,
        _numbers(month, 1, 12, MONTHS),
        weekdays,
        weekday_rules,
        day in ("*", "?"),
        weekday in ("*", "?"),
    )


def _with_rules(
    text: str, rule: str, low: int, high: int, names: dict[str, int]
) -> tuple[frozenset[int], tuple[str, ...]]:
    items = text.split(",")
    rules = tuple(item for item in items if re.fullmatch(rule, item) and item not in names)
    plain = [item for item in items if item not in rules]
    numbers = _numbers(",".join(plain), low, high, names) if plain else frozenset()
    return numbers, tuple(_numbered(item, names) for item in rules)


def _numbered(rule: str, names: dict[str, int]) -> str:
    for name, number in names.items():
        rule = rule.replace(name, str(number))
    return rule


def _numbers(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        if "/" in item and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"{item!r} has no valid step")
        first, last = _range(body, low, high, names)
        if "/" in item and "-" not in body and body not in ("*", "?"):
            last = high
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _range(body: str, low: int, high: int, names: dict[str, int]) -> tuple[int, int]:
    if body in ("*", "?"):
        return low, high
    start, _, end = body.partition("-")
    first = _number(start, names)
    last = _number(end, names) if end else first
    if not (low <= first <= high and low <= last <= high and first <= last):
        raise ValueError(f"{body!r} is not between {low} and {high}")
    return first, last


def _number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"{text!r} is not a number")
    return int(text)


def _day_rule(rule: str, when: datetime) -> bool:
    length = calendar.monthrange(when.year, when.month)[1]
    if rule == "L":
        return when.day == length
    if rule == "LW":
        return when.day == _nearest_weekday(when, length, length)
    if rule.startswith("L-"):
        return when.day == length - int(rule[2:])
    return when.day == _nearest_weekday(when, min(int(rule[:-1]), length), length)


def _nearest_weekday(when: datetime, day: int, length: int) -> int:
    weekday = when.replace(day=day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < length else day - 2
    return day


def _weekday_rule(rule: str, when: datetime) -> bool:
    weekday = when.isoweekday() % 7 + 1
    length = calendar.monthrange(when.year, when.month)[1]
    if rule == "L":
        return weekday == 7
    if rule.endswith("L"):
        return weekday == int(rule[:-1]) and when.day + 7 > length
    wanted, _, nth = rule.partition("#")
    return weekday == int(wanted) and (when.day - 1) // 7 + 1 == int(nth)


def due(entries: Iterable[tuple[str, str]], last: float, now: float) -> list[tuple[float, str, str]]:
    """(moment, name, expression) of everything in (last, now], in order; `entries` are (name, expression)."""
    found: list[tuple[float, str, str]] = []
    for name, expression in entries:
        when = parse(expression).next_after(last)
        while when is not None and when <= now and len(found) < MOST_PER_JUMP * 10:
            found.append((when, name, expression))
            when = parse(expression).next_after(when)
    return sorted(found)


def next_moment(entries: Iterable[tuple[str, str]], now: float) -> float | None:
    """When the next of the entries is due."""
    moments = (parse(expression).next_after(now) for _, expression in entries)
    return min((when for when in moments if when is not None), default=None)
