"""The gate: every request passes it, whichever door it is for. Who is behind a proxy, which name was asked for, which
page asks, how often, and how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from unavoce.server.limits.answers import Answers
from unavoce.server.limits.bodies import Bodies, check_head
from unavoce.server.limits.hosts import Hosts
from unavoce.server.limits.origins import Origins
from unavoce.server.limits.paths import is_shared
from unavoce.server.limits.rates import Rates
from unavoce.server.limits.refusals import Refusal, refuse
from unavoce.settings import Settings

Check = Callable[[Scope], Refusal | None]


def gated(app: ASGIApp, settings: Settings) -> ASGIApp:
    """`app` behind the gate, as the operator set it."""
    hosts = Hosts(settings.allowed_hosts, settings.host, keyed=bool(settings.api_keys))
    rates = Rates(settings.max_requests_per_s)
    app = _Checked(Bodies(app, settings.max_body_bytes), [rates.check, check_head])
    # Outside the rates: a page that may read answers may read that it asked too often.
    app = _Cors(app, settings.cors_origins)
    app = Answers(_Checked(app, [hosts.check, Origins(settings.cors_origins).check]))
    return cast(ASGIApp, ProxyHeadersMiddleware(cast(Any, app), list(settings.trusted_proxies)))


class _Checked:
    """ASGI middleware: the first check that refuses has the word."""

    def __init__(self, app: ASGIApp, checks: Sequence[Check]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for check in self._checks:
            if (refusal := check(scope)) is not None:
                await refuse(refusal, scope, receive, send)
                return
        await self._app(scope, receive, send)


class _Cors:
    """ASGI middleware: pages of the origins that the operator named may read what they are answered."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
            allow_credentials="*" not in origins,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The player and the libraries say themselves that anybody may have them.
        await (self._app if is_shared(scope["path"]) else self._open)(scope, receive, send)
