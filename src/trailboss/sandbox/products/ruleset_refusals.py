"""What the Rulesets API says no with: code, wording and the place in the body (`source.pointer`).

10003, 20106, 20127, 20217 and 50002 are as seen from Cloudflare; the other codes are our reading.
"""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.refusals import ApiError


def refusal(code: int, message: str, pointer: str = "", status: int = 400) -> ApiError:
    """A refusal that names the place."""
    error = ApiError(status, code, message)
    if pointer:
        error.errors[0]["source"] = {"pointer": pointer}
    return error


def invalid(value: Any, field: str, why: str, pointer: str, code: int = 20000) -> ApiError:
    """`'x' is not a valid value for field because ...`."""
    shown = value if isinstance(value, str) else repr(value)
    return refusal(code, f"'{shown}' is not a valid value for {field} because {why}", pointer)


def bad_expression(text: str, field: str, error: Exception, pointer: str) -> ApiError:
    """The expression does not parse; the engine's drawing is part of the message."""
    return invalid(text, field, f"could not parse filter expression: {error}", pointer, 20127)


def unknown_field(name: str, pointer: str) -> ApiError:
    """A field the object does not have."""
    return refusal(10026, f'invalid JSON: unknown field "{name}"', pointer)


def required(what: str, pointer: str) -> ApiError:
    """Something that must be there."""
    return refusal(20002, f"{what} is required", pointer)


def parameters_required(action: str, pointer: str) -> ApiError:
    """An action that means nothing without parameters."""
    return refusal(20106, f"action parameters are required for the {action} action", pointer)


def too_many_rulesets(kind: str, phase: str) -> ApiError:
    """A phase has one entry point."""
    why = f"exceeded maximum number of {kind} rulesets for phase {phase}"
    return invalid(kind, "kind", why, "/kind", 20217)


def too_many_rules(phase: str, most: int) -> ApiError:
    """The plan's number of rules."""
    return refusal(20217, f"exceeded maximum number of rules in the phase {phase} ({most})", "/rules")


def not_entitled(what: str, pointer: str = "") -> ApiError:
    """The plan does not have it."""
    return refusal(50002, f"not entitled to {what}", pointer)


def no_entrypoint(phase: str) -> ApiError:
    """The phase never had a rule."""
    return refusal(10003, f"could not find entrypoint ruleset in the {phase} phase", status=404)


def no_ruleset() -> ApiError:
    """No ruleset of that id here."""
    return refusal(10003, "could not find ruleset", status=404)


def no_version() -> ApiError:
    """The ruleset has no such version (any more)."""
    return refusal(10003, "could not find ruleset version", status=404)


def no_rule() -> ApiError:
    """No rule of that id in the ruleset."""
    return refusal(10003, "could not find rule", status=404)


def not_yours() -> ApiError:
    """A managed ruleset is Cloudflare's to change."""
    return refusal(20010, "managed rulesets cannot be modified")


def in_use() -> ApiError:
    """A rule still executes the custom ruleset."""
    return refusal(20011, "ruleset is still in use by an execute rule and cannot be deleted")


def last_version() -> ApiError:
    """The version in force stays."""
    return refusal(20012, "the latest version of a ruleset cannot be deleted")
