"""One wrangler config in one environment, resolved as wrangler 4.164 resolves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailboss.config.document import Document, Keys
from trailboss.config.inherit import INHERITED, Heir, inherit_bindings
from trailboss.config.keys import (
    ENVIRONMENT,
    INHERITABLE,
    KNOWN,
    NOT_INHERITABLE,
    RETIRED,
    TOP_LEVEL,
    closest,
)
from trailboss.errors import ConfigError
from trailboss.values import Location

if TYPE_CHECKING:
    from trailboss.config.wrangler import WranglerConfig

Table = dict[str, Any]


@dataclass(slots=True)
class Resolved:
    """`raw` is the flattened config; `declared` says whether the file itself has the environment."""

    document: Document
    environment: str | None
    raw: Table
    declared: bool
    warnings: list[str] = field(default_factory=list)
    origins: dict[Keys, Keys] = field(default_factory=dict)
    _typed: WranglerConfig | None = field(default=None, repr=False, compare=False)

    @property
    def typed(self) -> WranglerConfig:
        """`raw` typed, made when it is first asked for. Raises ConfigError TB1101 (wrong type)."""
        if self._typed is None:
            from trailboss.config.typed import typed

            self._typed = typed(self)
        return self._typed

    def locate(self, *keys: str | int) -> Location:
        """Where a key of `raw` is written: in the environment, or at the top level it was inherited from."""
        for length in range(len(keys), 0, -1):
            origin = self.origins.get(keys[:length])
            if origin is not None:
                return self.document.locate(*origin, *keys[length:])
        if self.environment is not None and self.declared:
            return self.document.locate("env", self.environment, *keys)
        return self.document.locate(*keys)


@dataclass(frozen=True, slots=True)
class Wish:
    """How to resolve: `known_elsewhere` are environments that trailboss.toml or another Worker declares."""

    environment: str | None = None
    redirected: bool = False
    project: bool = False
    inherit: bool = False
    known_elsewhere: tuple[str, ...] = ()
    siblings: Mapping[str, str] = field(default_factory=dict)


def environments_of(document: Document) -> tuple[str, ...]:
    """The names under `env`. Raises ConfigError TB1101 when it is not a table of tables."""
    env = document.data.get("env")
    if env is None:
        return ()
    if not isinstance(env, dict):
        raise ConfigError("TB1101", '"env" must be a table', where=document.locate("env"))
    for name, table in env.items():
        if not isinstance(table, dict):
            raise ConfigError("TB1101", f'"env.{name}" must be a table', where=document.locate("env", name))
    return tuple(env)


def script_name(document: Document, environment: str | None, *, redirected: bool = False) -> str:
    """The Worker's name in `environment`: its own there, or `<name>-<environment>`; "" when it has none."""
    top = document.data.get("name")
    own = None
    if environment and not redirected:
        own = env_table(document, environment).get("name")
        pages = document.data.get("pages_build_output_dir") is not None
        if own is None and isinstance(top, str) and top and not (pages and environment not in _env(document)):
            own = f"{top}-{environment}"
    name = own if own is not None else top
    return name if isinstance(name, str) else ""


def _env(document: Document) -> Table:
    env = document.data.get("env")
    return env if isinstance(env, dict) else {}


def env_table(document: Document, environment: str | None) -> Table:
    """`env.<environment>` as written; empty when there is none."""
    found = _env(document).get(environment or "")
    return found if isinstance(found, dict) else {}


def resolve(document: Document, wish: Wish) -> Resolved:
    """Flattens `document` for the wished environment.

    Raises ConfigError TB1101 (`env` has the wrong type), TB1102 (unknown environment), TB1103 (a redirected
    config with environments, or one built for another environment).
    """
    known = environments_of(document)
    ignored: list[str] = []
    top = _without_empty(document, (), document.data, ignored)
    top.pop("env", None)
    environment = wish.environment or None
    env = (
        _without_empty(document, ("env", environment), document.data["env"][environment], ignored)
        if (environment in known and not wish.redirected)
        else {}
    )
    resolved = _resolve(document, top, env, wish, known)
    resolved.warnings += ignored
    return resolved


def _resolve(document: Document, top: Table, env: Table, wish: Wish, known: tuple[str, ...]) -> Resolved:
    environment = wish.environment or None
    if wish.redirected:
        return _redirected(document, top, known, wish)
    if environment is None:
        return _finished(Resolved(document, None, top, declared=True))
    if environment in known:
        return _in_environment(document, top, env, wish, declared=True)
    if wish.project and environment in wish.known_elsewhere:
        return _in_environment(document, top, {}, wish, declared=False)
    return _undeclared(document, top, known, wish, environment)


def _without_empty(document: Document, prefix: Keys, table: Table, ignored: list[str]) -> Table:
    """`table` without the two empty texts that wrangler takes for absent."""
    empty = [key for key in ("account_id", "route") if table.get(key) == ""]
    ignored += [f'{document.locate(*prefix, key)}: "{key}" is empty and ignored' for key in empty]
    return {key: value for key, value in table.items() if key not in empty}


def _redirected(document: Document, top: Table, known: tuple[str, ...], wish: Wish) -> Resolved:
    environment = wish.environment or None
    if known:
        raise ConfigError(
            "TB1103",
            f"a generated configuration cannot have environments, this one has {', '.join(known)}",
            hint="The build tool that wrote it is at fault; report it there.",
            where=document.locate("env"),
        )
    built_for = top.get("targetEnvironment")
    pages = top.get("pages_build_output_dir") is not None
    is_other = built_for != environment and document.derived is None  # a preview was looked at before
    # Wrangler alone takes what was built for the top level for any environment; with environments of our own,
    # "staging" would be deployed over production, and deleted with it.
    if environment and (built_for or wish.project) and is_other and not pages:
        raise built_for_another(document, str(built_for or ""), environment)
    return _finished(Resolved(document, environment, top, declared=False))


def built_for_another(document: Document, built_for: str, environment: str) -> ConfigError:
    """TB1103: a build tool flattened the configuration for another environment ("" is the top level)."""
    was = f'the environment "{built_for}"' if built_for else "the top level"
    is_now = f'"{environment}"' if environment else "the top level"
    return ConfigError(
        "TB1103",
        f"this configuration was built for {was}, not {is_now}",
        hint=f"Build again with CLOUDFLARE_ENV={environment}."
        if environment
        else "Build again without CLOUDFLARE_ENV.",
        where=document.locate("targetEnvironment"),
    )


def _undeclared(
    document: Document, top: Table, known: tuple[str, ...], wish: Wish, environment: str
) -> Resolved:
    """An environment nobody declared: an error where others are declared, else wrangler's lenient way."""
    if top.get("pages_build_output_dir") is not None and not wish.project:
        return _finished(Resolved(document, None, top, declared=False))
    if wish.project or document.data.get("env") is not None:
        raise unknown_environment(environment, (*wish.known_elsewhere, *known), document.locate("env"))
    if isinstance(top.get("name"), str) and top["name"]:
        top["name"] = f"{top['name']}-{environment}"
    resolved = Resolved(document, environment, top, declared=False)
    resolved.warnings.append(
        f'{document.file}: there is no environment "{environment}"; the top level is used under the name '
        f'"{top.get("name", "")}"'
    )
    return _finished(resolved)


def unknown_environment(environment: str, known: tuple[str, ...], where: Location) -> ConfigError:
    """TB1102, naming the environments there are."""
    names = ", ".join(dict.fromkeys(known))
    hint = f"There are: {names}. {closest(environment, known)}".strip() if known else "None is declared yet."
    return ConfigError(
        "TB1102",
        f'there is no environment "{environment}"',
        hint=f"{hint} To add it: trailboss environments create {environment}",
        where=where,
    )


def _in_environment(document: Document, top: Table, env: Table, wish: Wish, *, declared: bool) -> Resolved:
    environment = wish.environment or ""
    raw = {key: value for key, value in top.items() if key not in ENVIRONMENT}
    resolved = Resolved(document, environment, raw, declared)
    resolved.origins.update({(key,): (key,) for key in raw})
    for key in (k for k in {**top, **env} if k in INHERITABLE):
        if env.get(key) is not None:
            raw[key] = env[key]
        elif top.get(key) is not None:
            raw[key], resolved.origins[(key,)] = top[key], (key,)
    if env.get("name") is None and isinstance(top.get("name"), str) and top["name"]:
        raw["name"] = f"{top['name']}-{environment}"
    for key in env:
        if key not in INHERITABLE and (env[key] is not None or key not in raw):
            raw[key] = env[key]
            resolved.origins.pop((key,), None)
    _bindings(resolved, top, env, wish)
    _warn_of_domains(resolved, top, env)
    return _finished(resolved, top, env)


def _bindings(resolved: Resolved, top: Table, env: Table, wish: Wish) -> None:
    """Our inheritance where wished; wrangler's warning for what still is not inherited."""
    covered: frozenset[str] = frozenset()
    if wish.inherit:
        heir = Heir(resolved.environment or "", wish.siblings)
        gained, origins = inherit_bindings(top, env, heir)
        resolved.raw.update(gained)
        resolved.origins.update(origins)
        resolved.warnings += [f"{resolved.document.file}: {text}" for text in heir.warnings]
        covered = INHERITED
    for key in sorted(NOT_INHERITABLE - covered):
        if top.get(key) is not None and key not in env:
            resolved.warnings.append(
                f'{resolved.document.locate(key)}: environments do not inherit "{key}" from the top level: '
                f'"env.{resolved.environment}" is without'
            )


def _warn_of_domains(resolved: Resolved, top: Table, env: Table) -> None:
    routes = top.get("routes")
    if not isinstance(routes, list) or env.get("routes") is not None:
        return
    domains = [
        str(r.get("pattern")) for r in routes if isinstance(r, dict) and r.get("custom_domain") is True
    ]
    if domains:
        resolved.warnings.append(
            f'{resolved.document.locate("routes")}: "env.{resolved.environment}" inherits the custom domain '
            f"{', '.join(domains)} and takes it away from the top level; give it routes of its own"
        )


def _finished(resolved: Resolved, top: Table | None = None, env: Table | None = None) -> Resolved:
    """Adds what the entry file implies, and the warnings about keys."""
    document = resolved.document
    _warn_of_keys(resolved, resolved.raw if top is None else top, KNOWN, ())
    if env is not None and resolved.declared:
        _warn_of_keys(resolved, env, ENVIRONMENT, ("env", resolved.environment or ""))
    _python(resolved)
    resolved.warnings[:0] = document.warnings
    return resolved


def _warn_of_keys(resolved: Resolved, table: Table, known: frozenset[str], prefix: Keys) -> None:
    for key in table:
        if key in known:
            continue
        place = resolved.document.locate(*prefix, key)
        if key in RETIRED:
            resolved.warnings.append(f'{place}: "{key}" is ignored: {RETIRED[key]}')
        elif prefix and key in TOP_LEVEL:
            resolved.warnings.append(f'{place}: "{key}" works only at the top level')
        else:
            hint = closest(key, known)
            resolved.warnings.append(f'{place}: wrangler does not know "{key}"{". " + hint if hint else ""}')


def _python(resolved: Resolved) -> None:
    """A Python entry is not bundled and brings its modules along, as in wrangler. Raises TB1111."""
    raw = resolved.raw
    main, rules, flags = raw.get("main"), raw.get("rules") or [], raw.get("compatibility_flags") or []
    if not (isinstance(main, str) and main.endswith(".py")):
        return
    if isinstance(flags, list) and "python_workers" not in flags:
        raise ConfigError(
            "TB1111",
            "a Python Worker needs the compatibility flag python_workers",
            hint='compatibility_flags = ["python_workers"]',
            where=resolved.locate("compatibility_flags"),
        )
    raw["no_bundle"] = True
    if isinstance(rules, list) and not any(
        isinstance(r, dict) and r.get("type") == "PythonModule" for r in rules
    ):
        raw["rules"] = [*rules, {"type": "PythonModule", "globs": ["**/*.py"]}]
