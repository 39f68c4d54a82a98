"""`Vaults`: what the vaults have answered to this process, so that many resolvers ask one question.

A file, the target's token and a value on the command line each have a `Resolver` of their own, because their
variables differ. They share this: what one of them will need can be announced (`expect`), and goes with the
first question that anybody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trailboss.secrets.backends import Answer, Backend, Unresolved
from trailboss.secrets.choosing import Choice, choose
from trailboss.secrets.obvious import obvious
from trailboss.secrets.quiet import Quiet
from trailboss.secrets.reference import Reference

if TYPE_CHECKING:
    from trailboss.secrets.settings import SecretsSettings


class Vaults:
    """One process's conversation with 1Password. The backend is chosen when the first reference needs one."""

    def __init__(self, environ: Mapping[str, str], settings: SecretsSettings | None = None) -> None:
        self._environ, self._settings = Quiet(environ), settings
        self._answers: dict[Reference, Answer] = {}
        self._expected: dict[Reference, None] = {}
        self._choice: Choice | None = None

    @property
    def choice(self) -> Choice:
        """The backend, chosen now if nobody has needed it yet. Raises SecretError TB7040, TB7050."""
        if self._choice is None:
            self._choice = choose(self._environ, self._settings)
        return self._choice

    def answer(self, reference: Reference) -> Answer | None:
        """What was answered; None when nobody has asked yet."""
        return self._answers.get(reference)

    def expect(self, references: Iterable[Reference]) -> None:
        """These will be asked for by somebody: they go with the next question."""
        self._expected |= dict.fromkeys(one for one in references if one not in self._answers)

    async def learn(self, references: Iterable[Reference]) -> None:
        """Ask for those nobody has asked for, and for all that are expected, in one question.

        A reference without a field costs a look at its item first. Raises SecretError TB7004, TB7040-TB7049.
        """
        self.expect(references)
        if not self._expected:
            return
        backend = self.choice.ask()
        asked = list(self._expected)
        meant = {one: await self._complete(backend, one) for one in asked}
        whole = list(dict.fromkeys(one for one in meant.values() if isinstance(one, Reference)))
        found = await backend.resolve(whole) if whole else {}
        for one in asked:
            full = meant[one]
            answer = full if isinstance(full, Unresolved) else found.get(full)
            if answer is not None:
                self._answers[one] = answer
        self._expected.clear()

    async def _complete(self, backend: Backend, reference: Reference) -> Reference | Unresolved:
        """The reference with its field, where it names none."""
        if reference.field:
            return reference
        fields = await backend.fields(reference)
        return fields if isinstance(fields, Unresolved) else obvious(reference, fields)
