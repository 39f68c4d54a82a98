"""Every error a user can be shown, as one tree.

    TrailbossError                 exit 1
    ├── UsageError                 exit 2   wrong words on the command line
    ├── ConfigError                exit 2   TB1xxx   a file the user wrote
    ├── CloudError                 exit 1   TB2xxx   what Cloudflare's API answered
    │   ├── AuthenticationError             the token is missing, wrong, expired
    │   ├── PermissionDenied                the token is right but may not do this
    │   ├── NotFound
    │   ├── AlreadyExists
    │   ├── RateLimited
    │   └── Unavailable                     network, timeout, 5xx: the effect may be unknown
    ├── BuildError                 exit 1   TB3xxx   bundling, toolchain, artifact, upload
    ├── ReleaseError               exit 1   TB4xxx
    │   └── RolledBack             exit 4
    ├── SandboxError               exit 1   TB5xxx
    ├── PlanError                  exit 1   TB6xxx
    ├── SecretError                exit 1   TB7xxx
    ├── ConflictError              exit 5   someone else holds it, or it moved under us
    └── RefusedError               exit 6   protection said no

A message says what happened, `where` says in which file and line, `hint` says what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from trailboss.values import Location


class TrailbossError(Exception):
    """The root: `code` is stable (`TB1203`), `exit_status` is what the process ends with."""

    exit_status: ClassVar[int] = 1

    def __init__(self, code: str, message: str, *, hint: str = "", where: Location | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}"

    def as_json(self) -> dict[str, Any]:
        """The shape `--json` prints: {"error": {"code", "message", "hint", "where"}}."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "hint": self.hint or None,
                "where": str(self.where) if self.where else None,
            }
        }


class UsageError(TrailbossError):
    exit_status = 2


class ConfigError(TrailbossError):
    exit_status = 2


class CloudError(TrailbossError):
    """What Cloudflare answered.

    `status` is the HTTP status (0 when nothing came back), `errors` Cloudflare's own list of
    {"code", "message", ...}, `ray` the `cf-ray` header for a support ticket.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str = "",
        where: Location | None = None,
        status: int = 0,
        errors: list[dict[str, Any]] | None = None,
        ray: str = "",
    ) -> None:
        super().__init__(code, message, hint=hint, where=where)
        self.status = status
        self.errors = errors or []
        self.ray = ray

    @property
    def cloudflare_code(self) -> int | None:
        """Cloudflare's own first error code, which decides every special case."""
        return self.errors[0].get("code") if self.errors else None

    def has_code(self, *codes: int) -> bool:
        """Whether any of Cloudflare's error codes is one of `codes`."""
        return any(error.get("code") in codes for error in self.errors)


class AuthenticationError(CloudError):
    pass


class PermissionDenied(CloudError):
    pass


class NotFound(CloudError):
    pass


class AlreadyExists(CloudError):
    pass


class RateLimited(CloudError):
    """The account said "not now"; `retry_after` is in seconds, counted from the answer."""

    retry_after: float = 0.0


class Unavailable(CloudError):
    """Nothing, or a 5xx, came back.

    `effect_unknown` is true when a write may or may not have happened: read before doing it again.
    """

    effect_unknown: bool = False


class BuildError(TrailbossError):
    pass


class ReleaseError(TrailbossError):
    pass


class RolledBack(ReleaseError):
    exit_status = 4


class SandboxError(TrailbossError):
    pass


class PlanError(TrailbossError):
    pass


class WantedError(PlanError):
    """What the files want contradicts itself, or the account."""

    exit_status = 2


class SecretError(TrailbossError):
    pass


class ConflictError(TrailbossError):
    exit_status = 5


class RefusedError(TrailbossError):
    exit_status = 6
