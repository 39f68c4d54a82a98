"""The one object through which everything talks to Cloudflare."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from trailboss.cloud.redact import Redactor
from trailboss.cloud.stats import Stats
from trailboss.cloud.target import GlobalKey, Target
from trailboss.errors import UsageError
from trailboss.values import Secret

if TYPE_CHECKING:
    from trailboss.cloud.session import Call, Options, Session
    from trailboss.cloud.transport import Body

UNSET: Any = object()
# Stands for the account in paths until its id was looked up; no account has this id.
_ACCOUNT = "/accounts/~"
# Cloudflare counts these apart from everything else.
_EXEMPT = re.compile(r"/queues/[^/]+/messages/(?:pull|ack)$")

Params = Mapping[str, Any] | Iterable[tuple[str, Any]] | None


class Reply(NamedTuple):
    """An opened envelope: `result` is decoded, `info` is result_info, header names are lower case."""

    result: Any
    info: dict[str, Any]
    messages: list[Any]
    status: int
    headers: Mapping[str, str]


class Raw(NamedTuple):
    """An answer without an envelope."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def segment(value: str) -> str:
    """`value` as one segment of a path, so that no name can reach another path.

    Raises:
        UsageError: TB9201 it is empty, '.' or '..'.
    """
    if value in ("", ".", ".."):
        raise UsageError("TB9201", f"'{value}' cannot be a name", hint="Give the name or id.")
    return quote(value, safe="~")


class Cloud:
    """One account at one target, over pooled connections.

    Use it as `async with Cloud(target) as cloud`. Nothing is sent, and no network library is loaded, before
    the first call. All methods raise `CloudError` and its kinds; `Unavailable.effect_unknown` says whether a
    write may have happened. `notify` is told of longer waits for the rate limit, and of a budget that cannot
    be shared. A DELETE that was repeated after a lost answer can end in `NotFound`.
    """

    def __init__(
        self,
        target: Target,
        *,
        notify: Callable[[str], None] | None = None,
        options: Options | None = None,
    ) -> None:
        self.target = target
        self._notify = notify
        self.stats = Stats()
        self._options = options
        self._session: Session | None = None
        self._root = self
        self._bearer: Secret | None = None
        self._guard: Callable[[], None] | None = None
        self._zones: dict[str, str] = {}
        token = target.token
        self._redactor = Redactor([token.key if isinstance(token, GlobalKey) else token])

    async def __aenter__(self) -> Cloud:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; a view of another Cloud leaves them open. The next call opens new ones."""
        if self._root is not self:
            return
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def __repr__(self) -> str:
        return f"<Cloud {self.target}>"

    @property
    def account(self) -> str:
        """The path '/accounts/<id>'. Without a given id it holds '~' until the first call looked it up."""
        session = self._root._session
        known = session.account_id if session else self.target.account_id
        return f"/accounts/{known}" if known else _ACCOUNT

    async def account_id(self) -> str:
        """The account's id, looked up once when the target does not give it.

        Raises:
            ConfigError: TB1904 the token reaches several accounts.
            PermissionDenied: TB2203 it reaches none.
        """
        session = self._opened()
        if session.account_id is None:
            async with session.account_lock:
                if session.account_id is None:
                    from trailboss.cloud.accounts import only_account

                    session.account_id = await only_account(self._root)
        return session.account_id

    def authorised_by(self, token: Secret | str) -> Cloud:
        """The same connections and statistics with another bearer token (an asset upload's JWT, say)."""
        view = Cloud(self.target)
        view._root = self._root
        view.stats = self.stats
        view._bearer = token if isinstance(token, Secret) else Secret(token)
        view._redactor = self._redactor
        return view

    def guarded(self, check: Callable[[], None]) -> Cloud:
        """The same connections; `check` is called before each attempt to write, and stops it by raising."""
        view = Cloud(self.target)
        view._root = self._root
        view.stats, view._redactor, view._bearer = self.stats, self._redactor, self._bearer
        view._guard = check
        return view

    async def zone(self, name: str) -> str:
        """The path '/zones/<id>' of the zone called `name`, looked up once.

        Raises:
            NotFound: TB2303 the token sees no such zone.
        """
        known = self._root._zones
        if name not in known:
            from trailboss.cloud.zones import zone_id

            known[name] = await zone_id(self, name)
        return f"/zones/{known[name]}"

    async def pause(self, seconds: float) -> None:
        """Wait between two looks at something that takes effect later. Whoever owns the clock owns this."""
        await self._opened().sleep(seconds)

    async def get(self, path: str, **options: Any) -> Any:
        """The result of a GET; the options are those of `call`."""
        return (await self.call("GET", path, **options)).result

    async def put(self, path: str, **options: Any) -> Any:
        """The result of a PUT; repeated on failure unless `idempotent=False`."""
        return (await self.call("PUT", path, **options)).result

    async def post(self, path: str, **options: Any) -> Any:
        """The result of a POST; repeated only when the first certainly did nothing, or `idempotent=True`."""
        return (await self.call("POST", path, **options)).result

    async def patch(self, path: str, **options: Any) -> Any:
        """The result of a PATCH; repeated as a POST is."""
        return (await self.call("PATCH", path, **options)).result

    async def delete(self, path: str, **options: Any) -> Any:
        """The result of a DELETE; repeated on failure unless `idempotent=False`."""
        return (await self.call("DELETE", path, **options)).result

    async def call(self, method: str, path: str, *, type: Any = None, **options: Any) -> Reply:
        """One request, its envelope opened, with status, headers and result_info.

        `path` starts with '/' below the base URL; build names into it with `segment`. Options: `params`
        (lists repeat the name, None is left out), `json`, `content` (bytes, str or Path), `parts` (a form),
        `headers`, `idempotent`, `timeout` in seconds. `type` is what the result is decoded as (anything
        msgspec knows), else plain dicts and lists.
        """
        from trailboss.cloud.envelope import Unreadable, decode
        from trailboss.cloud.failures import unreachable

        incoming, envelope = await self._opened().exchange(await self._prepare(method, path, options))
        assert envelope is not None
        reason = ""
        try:
            result = decode(envelope.result, type)
        except Unreadable as error:
            reason = error.reason
        if reason:
            raise unreachable(method, _shown(path), reason, self._redactor, sent=True, code="TB2504")
        info = envelope.result_info if isinstance(envelope.result_info, dict) else {}
        messages = envelope.messages if isinstance(envelope.messages, list) else []
        return Reply(result, info, messages, incoming.status, incoming.headers)

    async def raw(self, method: str, path: str, *, check: bool = True, **options: Any) -> Raw:
        """An answer without an envelope (KV values, R2 objects, a script's code, SQL).

        `path` may be a whole URL of another host, such as a signed one: it goes without our credential and
        outside the rate budget. With `check=False` a 4xx is returned and not raised (429 and 5xx still are
        repeated where that is safe, and raised). `to` is a file that takes the body, streamed; it appears
        only when it is whole.
        """
        call = await self._prepare(method, path, options, enveloped=False, check=check)
        incoming, _ = await self._opened().exchange(call)
        return Raw(incoming.status, incoming.headers, incoming.body)

    def pages(
        self, path: str, *, style: str = "page", params: Params = None, key: str | None = None, **options: Any
    ) -> AsyncIterator[Any]:
        """Every item of a list, page after page to the end, with one page in memory.

        Styles: 'page' (result_info with page numbers; also what wrangler calls the length loop), 'cursor',
        'single'. `key` names the list inside the result ('items', 'buckets', 'deployments'), when it is not
        the result itself; see `trailboss.cloud.pages` for how each ends.
        Options: `per_page`, `type`, `headers`.
        """
        from trailboss.cloud.pages import walk

        return walk(self, path, style, params, key, **options)

    def _opened(self) -> Session:
        root = self._root
        if root._session is None:
            from trailboss.cloud.session import Options, Session

            options = root._options or Options()
            if root._notify is not None:
                options = replace(options, notify=root._notify)
            root._session = Session(root.target, root.stats, root._redactor, options)
        return root._session

    async def _prepare(
        self, method: str, path: str, options: dict[str, Any], *, enveloped: bool = True, check: bool = True
    ) -> Call:
        from trailboss.cloud.bodies import body_of
        from trailboss.cloud.session import Call

        if path.startswith(_ACCOUNT):
            path = f"/accounts/{await self.account_id()}{path[len(_ACCOUNT) :]}"
        url = path if _is_url(path) else f"{self.target.base_url}{path}"
        if url is not path and not path.startswith("/"):
            raise UsageError("TB9202", f"'{path}' is not an API path", hint="It starts with '/'.")
        ours = url is not path
        body: Body = body_of(
            options.pop("json", UNSET), options.pop("content", None), options.pop("parts", None), UNSET
        )
        call = Call(
            method,
            _shown(path),
            url + _query(options.pop("params", None), url),
            _headers(options.pop("headers", None)),
            self._secrets() if ours else {},
            body,
            idempotent=options.pop("idempotent", None),
            enveloped=enveloped,
            check=check,
            metered=options.pop("metered", ours and not _EXEMPT.search(path)),
            timeout=options.pop("timeout", None),
            to=options.pop("to", None),
            guard=self._guard,
        )
        if options:
            raise TypeError(f"unknown option '{next(iter(options))}'")
        return call

    def _secrets(self) -> dict[str, tuple[str, Secret]]:
        token = self.target.token
        if self._bearer is not None:
            return {"authorization": ("Bearer ", self._bearer)}
        if isinstance(token, GlobalKey):
            return {"x-auth-email": ("", Secret(token.email)), "x-auth-key": ("", token.key)}
        return {"authorization": ("Bearer ", token)}


def _is_url(path: str) -> bool:
    return path.startswith(("https://", "http://"))


def _shown(path: str) -> str:
    """A path for people: no query, and of another host's URL only host and path."""
    if _is_url(path):
        parts = urlsplit(path)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"
    return path.split("?", 1)[0]


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _query(params: Params, url: str) -> str:
    pairs: Sequence[tuple[str, Any]] = list(params.items() if isinstance(params, Mapping) else params or ())
    shown: list[str] = []
    for name, value in pairs:
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                shown.append(f"{quote(str(name), safe='')}={quote(text, safe='~')}")
    if not shown:
        return ""
    return ("&" if "?" in url else "?") + "&".join(shown)
