"""What can be wrong with a backend as a whole: one code for each situation, whichever backend it is."""

from __future__ import annotations

from trailboss.errors import SecretError


def not_installed(what: str, hint: str) -> SecretError:
    """TB7040: the program or package is not there."""
    return SecretError("TB7040", f"{what} is not installed.", hint=hint)


def too_old(what: str, version: str, needed: str) -> SecretError:
    """TB7041: it is there, and too old for what is asked of it."""
    return SecretError(
        "TB7041",
        f"{what} {version} is too old; {needed} or newer is needed.",
        hint="Update it: https://developer.1password.com/docs/cli/get-started",
    )


def locked(detail: str = "") -> SecretError:
    """TB7042: nobody is signed in, or the app is locked."""
    return SecretError(
        "TB7042",
        "1Password is locked, or nobody is signed in." + _said(detail),
        hint="Unlock the 1Password app and turn on its integration with the CLI, or run `op signin`.",
    )


def dismissed() -> SecretError:
    """TB7043: the question on the screen was answered with no, or by nobody."""
    return SecretError(
        "TB7043",
        "1Password asked for approval, and it was not given.",
        hint="Run the command again and approve it in the 1Password app.",
    )


def bad_token(variable: str, detail: str = "") -> SecretError:
    """TB7044: the token is malformed, expired or revoked."""
    return SecretError(
        "TB7044",
        f"1Password refuses the token in {variable}: it is malformed, expired or revoked." + _said(detail),
        hint=f"Make a new token and set {variable} again.",
    )


def not_allowed(variable: str, what: str) -> SecretError:
    """TB7045: the token is right, and may not see this."""
    return SecretError(
        "TB7045",
        f"The token in {variable} may not see {what}.",
        hint="Give it access to the vault, or use a token that has it.",
    )


def rate_limited(detail: str = "") -> SecretError:
    """TB7046: too many questions in the last hour or day."""
    return SecretError(
        "TB7046",
        "1Password refuses more requests for now: the limit of the token or the account is used up."
        + _said(detail),
        hint="`op service-account ratelimit` says when it is free again.",
    )


def out_of_reach(what: str, detail: str = "") -> SecretError:
    """TB7047: no connection, no answer in time, or an answer that is none."""
    return SecretError(
        "TB7047", f"{what} is out of reach." + _said(detail), hint="Check the network and the address."
    )


def which_account() -> SecretError:
    """TB7053: several accounts are signed in, and none was named."""
    return SecretError(
        "TB7053",
        "1Password's `op` is signed in to several accounts.",
        hint="Set `[secrets] account` in trailboss.toml, or OP_ACCOUNT.",
    )


def no_answer(what: str, seconds: float) -> SecretError:
    """TB7048: it runs, and says nothing."""
    return SecretError(
        "TB7048",
        f"{what} has not answered within {seconds:g} seconds.",
        hint="Is it waiting for an approval on the screen? `[secrets] timeout` gives it longer.",
    )


def failed(what: str, detail: str = "") -> SecretError:
    """TB7049: anything else."""
    return SecretError(
        "TB7049", f"{what} failed." + _said(detail), hint="The same question in `op read` may say more."
    )


def _said(detail: str) -> str:
    return f" It says: {detail}" if detail else ""
