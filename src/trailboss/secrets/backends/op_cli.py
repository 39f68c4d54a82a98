"""The `op` program: one `op inject` for all references, everything through pipes.

The template on its standard input holds only references and random marks; the values come back between the
same marks. Approval (fingerprint, session, service account) is the program's own business.
Source: https://developer.1password.com/docs/cli/reference/commands/inject"""

from __future__ import annotations

import json
import re
import secrets as randomness
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trailboss.errors import SecretError
from trailboss.secrets.backends import Answer, Unresolved, failures
from trailboss.secrets.backends.op_messages import about_everything, about_references, message
from trailboss.secrets.backends.process import Ended, run
from trailboss.secrets.obvious import FieldName
from trailboss.secrets.quiet import Quiet
from trailboss.secrets.reference import Reference
from trailboss.values import Secret

PROGRAM = "op"
OLDEST = (2, 0)
OLDEST_FOR_TOKEN = (2, 18)
INSTALL = "Install it: https://developer.1password.com/docs/cli/get-started"
TOKEN = "OP_SERVICE_ACCOUNT_TOKEN"  # noqa: S105 - the variable's name
MOST_ROUNDS = 8
_NOT_FOR_OP = ("OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_DEBUG", "OP_FORMAT")
"""Connect would displace the account that was chosen; the others change what comes back."""


@dataclass(frozen=True, slots=True)
class OpCli:
    """`program` is the path of `op`; `account` a sign-in address, name or id when there are several."""

    program: str
    environ: Mapping[str, str] = field(repr=False)
    account: str | None = None
    timeout: float = 120.0
    name: str = "op"

    async def resolve(self, references: Sequence[Reference]) -> dict[Reference, Answer]:
        """All values from one process.

        When `op` names one that does not exist, the others are asked again without it, at most
        `MOST_ROUNDS` times: so one error can name everything that is wrong.

        Raises SecretError TB7040-TB7049."""
        answers: dict[Reference, Answer] = {}
        left = list(dict.fromkeys(references))
        for _ in range(MOST_ROUNDS):
            if not left:
                break
            mark = randomness.token_hex(16)
            ended = await self._run(["inject"], _template(left, mark))
            if ended.status == 0:
                return answers | _values(ended.output, left, mark)
            wrong = about_references(ended.complaint, left)
            if not wrong:
                raise await self._explained(ended.complaint)
            answers |= wrong
            left = [reference for reference in left if reference not in wrong]
        # What was not asked again is left out: the caller fails with what is known to be wrong.
        return answers

    async def fields(self, reference: Reference) -> tuple[FieldName, ...] | Unresolved:
        """The item's fields, from one `op item get`. Raises SecretError TB7040-TB7049.

        Its answer holds values too: it is taken apart here and forgotten."""
        words = ["item", "get", reference.item, f"--vault={reference.vault}", "--format=json"]
        ended = await self._run(words, "")
        if ended.status:
            wrong = about_references(ended.complaint, [reference])
            if wrong:
                return wrong[reference]
            raise await self._explained(ended.complaint)
        found = _field_names(ended.output)
        if found is None:
            raise failures.failed("`op item get`", "its answer is no item")
        return found

    async def version(self) -> tuple[int, ...]:
        """The program's version; raises SecretError TB7040, TB7041 (older than needed), TB7048."""
        ended = await self._run(["--version"], "")
        found = re.match(r"\s*(\d+)\.(\d+)(?:\.(\d+))?", ended.output.reveal())
        if ended.status or not found:
            raise failures.failed("`op --version`", message(ended.complaint))
        version = tuple(int(number) for number in found.groups() if number is not None)
        needed = OLDEST_FOR_TOKEN if self.environ.get(TOKEN) else OLDEST
        if version < needed:
            raise failures.too_old(
                "1Password's `op`", ".".join(map(str, version)), ".".join(map(str, needed))
            )
        return version

    async def _explained(self, complaint: str) -> SecretError:
        """The error for a complaint about no reference. An old program is found out only now: looking
        every time would cost a process."""
        try:
            await self.version()
        except SecretError as error:
            return error
        return about_everything(complaint, token=bool(self.environ.get(TOKEN)))

    async def _run(self, words: list[str], given: str) -> Ended:
        account = ["--account", self.account] if self.account and words[0] != "--version" else []
        environ = Quiet({name: v for name, v in self.environ.items() if name not in _NOT_FOR_OP})
        try:
            ended = await run([self.program, *words, *account], given, environ, self.timeout)
        except OSError as error:
            problem = failures.not_installed(f"1Password's program {self.program}", INSTALL)
            problem.message += f" ({error.strerror})"
            raise problem from None
        if ended is None:
            raise failures.no_answer(f"`op {words[0]}`", self.timeout)
        return ended


def _field_names(output: Secret) -> tuple[FieldName, ...] | None:
    """The fields of an item in JSON; None when it is none."""
    try:
        entries = json.loads(output.reveal())["fields"]
        return tuple(
            FieldName.of(
                id=str(entry.get("id") or ""),
                label=str(entry.get("label") or ""),
                section=str((entry.get("section") or {}).get("id") or ""),
                purpose=str(entry.get("purpose") or ""),
                value=str(entry.get("value") or ""),
            )
            for entry in entries
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def find(environ: Mapping[str, str]) -> str | None:
    """The path of `op` on the PATH of `environ`."""
    return shutil.which(PROGRAM, path=environ.get("PATH", ""))


def _template(references: Sequence[Reference], mark: str) -> str:
    lines = [f"{mark}:{index}\n{{{{ {reference} }}}}\n" for index, reference in enumerate(references)]
    return "".join(lines) + f"{mark}:{len(references)}\n"


def _values(output: Secret, references: Sequence[Reference], mark: str) -> dict[Reference, Answer]:
    """What stands between the marks."""
    found = _between(output, mark)
    if len(found) != len(references):
        raise failures.failed("`op inject`", "its answer does not have the form of the question")
    return dict(zip(references, found, strict=True))


def _between(output: Secret, mark: str) -> list[Answer]:
    pieces = re.split(rf"(?:^|\n){mark}:\d+(?:\r?\n|$)", output.reveal())
    return [_text(Secret(piece)) for piece in pieces[1:-1]]


def _text(value: Secret) -> Answer:
    if any("\udc80" <= letter <= "\udcff" for letter in value.reveal()):
        return Unresolved("field", "unsupported", "the file is not text")
    return value
