"""The answers that say no, with Cloudflare's status, code and wording. Products add their own
constructors."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """One refusal: raised anywhere in a handler, written as an envelope by the app."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        meta: dict[str, Any] | None = None,
        chain: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        more: list[dict[str, Any]] | None = None,
        notes: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.notes = notes or []
        """`messages` beside the error; wrangler prints the first as the error's explanation."""
        first: dict[str, Any] = {"code": code, "message": message}
        if meta is not None:
            first["meta"] = meta
        if chain:
            first["error_chain"] = chain
        self.errors = [first, *(more or [])]

    def envelope(self) -> dict[str, Any]:
        """The body of the reply."""
        return {"success": False, "errors": self.errors, "messages": self.notes, "result": None}


def missing_credentials() -> ApiError:
    """No Authorization header at all."""
    return ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")


def malformed_credentials() -> ApiError:
    """An Authorization header that is not `Bearer <token>`."""
    chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
    return ApiError(400, 6003, "Invalid request headers", chain=chain)


def invalid_token() -> ApiError:
    """What tokens/verify says of a token it does not know."""
    return ApiError(401, 1000, "Invalid API Token")


def authentication_error() -> ApiError:
    """A wrong token, or an account that is not the token's."""
    return ApiError(403, 10000, "Authentication error")


def invalid_account(path: str) -> ApiError:
    """An account id that cannot be one."""
    message = f"Could not route to {path}, perhaps your object identifier is invalid?"
    return ApiError(404, 7003, message, more=[{"code": 7000, "message": "No route for that URI"}])


def unknown_identifier(path: str) -> ApiError:
    """A path whose zone or other identifier nothing has."""
    return invalid_account(path)


def no_route() -> ApiError:
    """A path Cloudflare's API (or this sandbox) does not have."""
    return ApiError(400, 7000, "No route for that URI")


def wrong_method() -> ApiError:
    """A path that exists, asked with a method it does not take."""
    return ApiError(405, 10405, "Method not allowed for this authentication scheme")


def bad_json(detail: str = "") -> ApiError:
    """A body that should be JSON and is not."""
    return ApiError(400, 10001, f"Unable to parse request body as JSON{': ' + detail if detail else ''}")


def bad_request(message: str, code: int = 10001) -> ApiError:
    """A request whose content cannot be meant."""
    return ApiError(400, code, message)


def rate_limited(seconds: int) -> ApiError:
    """Too many requests; `seconds` is the Retry-After."""
    return ApiError(
        429,
        971,
        "Please wait and consider throttling your request speed",
        headers={"retry-after": str(seconds)},
    )


def not_emulated(what: str) -> ApiError:
    """A part of the real API the sandbox leaves out on purpose."""
    return ApiError(501, 10501, f"{what} is not emulated by the sandbox.")


def internal(message: str = "internal error") -> ApiError:
    """The sandbox itself failed."""
    return ApiError(500, 10013, f"An unknown error has occurred: {message}")
