"""Which backend answers: the one that is set, else the first whose means are there.

Order: under `op run` (nothing is asked again), Connect (OP_CONNECT_HOST and OP_CONNECT_TOKEN), a service
account (OP_SERVICE_ACCOUNT_TOKEN; through `op` when the SDK is not installed), `op` on the PATH."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trailboss.errors import SecretError
from trailboss.secrets.backends import Backend, failures
from trailboss.secrets.quiet import Quiet
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.secrets.backends.already_resolved import OpRun
    from trailboss.secrets.settings import SecretsSettings

VARIABLE = "TRAILBOSS_SECRETS_BACKEND"
NAMES = ("auto", "op", "service-account", "connect", "environment")
HINT = (
    "Install 1Password's `op` and sign in, or set OP_SERVICE_ACCOUNT_TOKEN, or OP_CONNECT_HOST and "
    "OP_CONNECT_TOKEN, or start this command with `op run --env-file FILE --`."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """`backend` is None when nothing can be asked, and `why` says why. `by_name` says that a variable of a
    reference's name answers it; `around` is the `op run` this process was started by."""

    backend: Backend | None
    why: str = ""
    by_name: bool = False
    around: OpRun | None = None

    def ask(self) -> Backend:
        """The backend; raises SecretError TB7004 when there is none."""
        if self.backend is None:
            raise SecretError(
                "TB7004", f"Nothing here can resolve a 1Password reference: {self.why}.", hint=HINT
            )
        return self.backend


@dataclass(frozen=True, slots=True)
class Wishes:
    """`[secrets]` without pydantic: what choosing needs to know."""

    backend: str = "auto"
    account: str | None = None
    connect_host: str | None = None
    timeout: float = 120.0

    @classmethod
    def of(cls, settings: SecretsSettings | None, environ: Mapping[str, str]) -> Wishes:
        """The settings; TRAILBOSS_SECRETS_BACKEND comes before them. Raises SecretError TB7050."""
        asked = environ.get(VARIABLE) or (settings.backend if settings else "auto")
        if asked not in NAMES:
            raise SecretError(
                "TB7050",
                f"{VARIABLE} is {asked!r}, and there is no such backend.",
                hint=f"It may be: {', '.join(NAMES)}.",
            )
        if settings is None:
            return cls(asked)
        return cls(asked, settings.account, settings.connect_host, settings.timeout)


def choose(environ: Mapping[str, str], settings: SecretsSettings | None = None) -> Choice:
    """The backend for this process. Asks nobody yet.

    Raises SecretError TB7040 (what was set is not installed) and TB7050 (it lacks what it needs)."""
    environ = Quiet(environ)
    wishes = Wishes.of(settings, environ)
    if wishes.backend == "environment":
        return Choice(None, "the backend is `environment`", by_name=True)
    from trailboss.secrets.backends.already_resolved import op_run

    around = op_run()
    if wishes.backend != "auto":
        return Choice(_SET[wishes.backend](wishes, environ), around=around)
    for look in (_connect, _token, _op):
        found = look(wishes, environ)
        if found:
            return Choice(found, around=around)
    return Choice(None, _why_nothing(wishes, environ), around=around)


def _why_nothing(wishes: Wishes, environ: Mapping[str, str]) -> str:
    """What was looked for; what is there by half is named."""
    from trailboss.secrets.backends.service_account import TOKEN

    host, token = wishes.connect_host or environ.get("OP_CONNECT_HOST"), environ.get("OP_CONNECT_TOKEN")
    server = "no Connect server"
    if host or token:
        there, lacking = ("OP_CONNECT_HOST", "OP_CONNECT_TOKEN")[:: 1 if host else -1]
        server = f"half of a Connect server ({there} is set, {lacking} is not)"
    account = "no token"
    if environ.get(TOKEN):
        account = f"{TOKEN}, but not the Python package onepassword-sdk"
    return f"no `op` on the PATH, {account}, {server}"


def _connect(wishes: Wishes, environ: Mapping[str, str]) -> Backend | None:
    host, token = wishes.connect_host or environ.get("OP_CONNECT_HOST"), environ.get("OP_CONNECT_TOKEN")
    if not host or not token:
        return None
    from trailboss.secrets.backends.connect import Connect

    return Connect(host, Secret(token), wishes.timeout)


def _token(wishes: Wishes, environ: Mapping[str, str]) -> Backend | None:
    from trailboss.secrets.backends.service_account import TOKEN, ServiceAccount, available

    token = environ.get(TOKEN)
    if not token:
        return None
    if not available():
        return _op(wishes, environ)
    return ServiceAccount(Secret(token), wishes.timeout)


def _op(wishes: Wishes, environ: Mapping[str, str]) -> Backend | None:
    from trailboss.secrets.backends.op_cli import OpCli, find

    program = find(environ)
    return OpCli(program, environ, wishes.account, wishes.timeout) if program else None


def _set_op(wishes: Wishes, environ: Mapping[str, str]) -> Backend:
    from trailboss.secrets.backends.op_cli import INSTALL

    found = _op(wishes, environ)
    if found is None:
        raise failures.not_installed("1Password's program `op`", INSTALL)
    return found


def _set_token(wishes: Wishes, environ: Mapping[str, str]) -> Backend:
    from trailboss.secrets.backends.service_account import INSTALL, TOKEN, ServiceAccount, available

    if not environ.get(TOKEN):
        raise _lacking("service-account", TOKEN)
    if not available():
        raise failures.not_installed("The Python package onepassword-sdk", INSTALL)
    return ServiceAccount(Secret(environ[TOKEN]), wishes.timeout)


def _set_connect(wishes: Wishes, environ: Mapping[str, str]) -> Backend:
    found = _connect(wishes, environ)
    if found is None:
        has_token = bool(environ.get("OP_CONNECT_TOKEN"))
        raise _lacking("connect", "OP_CONNECT_HOST" if has_token else "OP_CONNECT_TOKEN")
    return found


def _lacking(backend: str, variable: str) -> SecretError:
    return SecretError(
        "TB7050",
        f"The secrets backend is {backend!r}, and {variable} is not set.",
        hint=f"Set {variable}, or choose another `[secrets] backend` in trailboss.toml.",
    )


_SET: Mapping[str, Callable[[Wishes, Mapping[str, str]], Backend]] = {
    "op": _set_op,
    "service-account": _set_token,
    "connect": _set_connect,
}
