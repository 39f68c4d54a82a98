"""`Resolver`: many strings to their values, at the last moment, with one question to one backend.

Values live in this object and nowhere else; nothing is written."""

from __future__ import annotations

from collections.abc import Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from trailboss.errors import SecretError
from trailboss.secrets.backends import Unresolved, failures
from trailboss.secrets.dotenv import Entry
from trailboss.secrets.expanding import Piece, Variables
from trailboss.secrets.quiet import Quiet
from trailboss.secrets.reference import Reference
from trailboss.secrets.references import Template, parse
from trailboss.secrets.unresolved import Problem, UnresolvedError
from trailboss.secrets.vaults import Vaults
from trailboss.values import Location, Secret

if TYPE_CHECKING:
    from trailboss.secrets.settings import SecretsSettings

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A string somebody wrote: `name` is the variable or secret it is for, `literal` means single quotes."""

    text: str = field(repr=False)
    name: str | None = None
    where: Location | None = None
    literal: bool = False

    def template(self) -> Template:
        """What it asks for. Raises SecretError TB7020, with its place."""
        try:
            return parse(self.text, literal=self.literal)
        except SecretError as error:
            raise _placed(error, self) from None


class Resolver:
    """Resolves strings with the variables of `environ` (over `entries` of dotenv files) and a backend.

    Resolvers that share `vaults` ask for each reference once, together; otherwise each has its own."""

    def __init__(
        self,
        environ: Mapping[str, str],
        settings: SecretsSettings | None = None,
        entries: Mapping[str, Entry] | None = None,
        vaults: Vaults | None = None,
    ) -> None:
        environ = Quiet(environ)
        self._environ = environ
        self._variables = Variables(environ, entries or {})
        self._vaults = vaults or Vaults(environ, settings)

    def expect(self, wanted: Mapping[Key, Wanted]) -> None:
        """These will be resolved soon: their references go with the next question, whoever asks it.

        What is wrong with them is told when they are resolved."""
        for one in wanted.values():
            try:
                template = one.template()
                if self._ready(template, one) is None:
                    found = self._pieces(template, one, {})
                    self._vaults.expect(piece for piece in found if isinstance(piece, Reference))
            except SecretError:
                continue

    async def resolve(self, wanted: Mapping[Key, Wanted]) -> dict[Key, Secret]:
        """The value of each string, under the same keys.

        Raises SecretError: TB7003 variables that are not set (all of them), TB7004 no backend, TB7020
        malformed, TB7030-TB7035 what does not exist (all of it), TB7040-TB7050 the backend as a whole,
        TB7051 a circle."""
        done, pieces = self._without_vault(wanted)
        await self._learn(pieces, wanted)
        return done | {key: self._joined(found) for key, found in pieces.items()}

    def resolve_now(self, wanted: Mapping[Key, Wanted]) -> dict[Key, Secret]:
        """`resolve` for callers that are not asynchronous. Without references no event loop is started."""
        done, pieces = self._without_vault(wanted)
        if self._askers(pieces):
            _finish(self._learn(pieces, wanted))
        return done | {key: self._joined(found) for key, found in pieces.items()}

    def references(self, one: Wanted) -> list[Reference]:
        """The references in a string, its variables filled in. Raises SecretError TB7020, TB7051."""
        found = self._pieces(one.template(), one, {})
        return [piece for piece in found if isinstance(piece, Reference)]

    def knows(self, reference: Reference) -> bool:
        """Whether this object has been given the value of `reference`."""
        return isinstance(self._vaults.answer(reference), Secret)

    def _without_vault(
        self, wanted: Mapping[Key, Wanted]
    ) -> tuple[dict[Key, Secret], dict[Key, list[Piece]]]:
        """What needs no vault, and the pieces of what may."""
        done: dict[Key, Secret] = {}
        pieces: dict[Key, list[Piece]] = {}
        missing: dict[str, Location | None] = {}
        for key, one in wanted.items():
            template = one.template()
            ready = self._ready(template, one)
            if ready is not None:
                done[key] = ready
            else:
                pieces[key] = self._pieces(template, one, missing)
        if missing:
            raise _not_set(missing)
        return done, pieces

    def _ready(self, template: Template, one: Wanted) -> Secret | None:
        """What `op run` has already resolved."""
        if not template.has_pointer:
            return None
        from trailboss.secrets.backends.already_resolved import named

        choice = self._vaults.choice
        if choice.by_name:
            return named(one.name, one.text, self._environ)
        return choice.around.value(one.text, self._environ) if choice.around else None

    def _pieces(self, template: Template, one: Wanted, missing: dict[str, Location | None]) -> list[Piece]:
        absent: dict[str, None] = {}
        try:
            found = self._variables.pieces(template, absent)
        except SecretError as error:
            raise _placed(error, one) from None
        for name in absent:
            missing.setdefault(name, one.where)
        return found

    def _askers(self, pieces: Mapping[Key, list[Piece]]) -> dict[Reference, Key]:
        """The references, with who asks for each first."""
        found: dict[Reference, Key] = {}
        for key, some in pieces.items():
            for piece in some:
                if isinstance(piece, Reference):
                    found.setdefault(piece, key)
        return found

    async def _learn(self, pieces: Mapping[Key, list[Piece]], wanted: Mapping[Key, Wanted]) -> None:
        askers = self._askers(pieces)
        unknown = [one for one in askers if self._vaults.answer(one) is None]
        if unknown:
            try:
                await self._vaults.learn(unknown)
            except SecretError as error:
                raise _placed(error, wanted[askers[unknown[0]]]) from None
        problems = []
        for reference, key in askers.items():
            answer = self._vaults.answer(reference)
            if isinstance(answer, Unresolved):
                problems.append(Problem(reference, answer, wanted[key].name, wanted[key].where))
        if problems:
            raise UnresolvedError(problems)
        left = [reference for reference in unknown if self._vaults.answer(reference) is None]
        if left:
            backend = self._vaults.choice.ask().name
            raise failures.failed(f"The backend {backend}", f"no answer for {left[0]}")

    def _joined(self, pieces: list[Piece]) -> Secret:
        found = [piece if isinstance(piece, Secret) else self._value(piece) for piece in pieces]
        return found[0] if len(found) == 1 else Secret("".join(piece.reveal() for piece in found))

    def _value(self, reference: Reference) -> Secret:
        answer = self._vaults.answer(reference)
        assert isinstance(answer, Secret)
        return answer


def _placed(error: SecretError, one: Wanted) -> SecretError:
    """`error` with the place and name of the string that led to it.

    Its way here is forgotten: the frames below hold what was being read, and a crash report that shows
    variables would show that."""
    error.__context__ = error.__traceback__ = None
    error.where = error.where or one.where
    if one.name and error.code in ("TB7020", "TB7051"):
        error.message = f"{one.name}: {error.message}"
    return error


def _not_set(missing: Mapping[str, Location | None]) -> SecretError:
    return SecretError(
        "TB7003",
        f"{', '.join(missing)}: not set in the environment.",
        where=next(iter(missing.values())),
        hint="Set them, give a default (${NAME:-default}), or write $${ for a plain ${.",
    )


def _finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs `work` to its end, in a thread of its own when this one already runs an event loop."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
