"""A speech server over HTTP: asking it, reading its sound as it comes, and naming what went wrong.

Success is plausible sound *and* a clean end, never a status alone. Content types are not believed. Every engine that is
a server somewhere else is an `Engine` around one `SpeechServer`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from unavoce.audio.pcm import Pcm
from unavoce.engines.base import Emit
from unavoce.engines.incoming import Pieces, SoundReader
from unavoce.engines.refusals import read_refusal, without_echo
from unavoce.errors import AudioError, EngineError, EngineRefused, EngineUnavailable, ImplausibleAudio
from unavoce.outbound import brief, http_client, shown

if TYPE_CHECKING:
    import httpx

URL_PATTERN: Final = r"^https?://[^\s/?#]+[^\s?#]*$"
MAX_SOUND_BYTES: Final = 64 << 20
"""Of one answer: eleven minutes at 48 kHz."""
MAX_BODY_BYTES: Final = 32 << 20
"""Of an answer that is no sound: a list of voices with their embeddings is the largest."""
ASK_LIMIT_S: Final = 10.0
"""For an answer that is no sound."""
ABANDONED_LIMIT_S: Final = 60.0
"""How long an answer nobody wants any more is read, so that the server is free when its slot is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no sound."""

    status: int
    body: bytes

    def json(self) -> Any:
        """What its body holds, whatever that is; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class SpeechServer:
    """One server at `url`. `setting`: the engine's section in the settings, which remedies name, e.g. `xtts`.

    `finishes`: the server goes on with a sentence that nobody waits for, so a cancelled call reads its answer to the
    end before it returns; otherwise closing the connection is enough.
    """

    def __init__(
        self,
        url: str,
        *,
        setting: str,
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        url_entry: str = "URL",
        finishes: bool = True,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._secret = secret
        self._variable = f"UNAVOCE_{setting.upper().replace('-', '_')}__"
        self._url_entry = url_entry
        self._finishes = finishes
        self.where = f"the server at {shown(url)}"
        self._client: httpx.AsyncClient | None = None

    def entry(self, name: str) -> str:
        """An entry of the engine's section as an operator writes it: `UNAVOCE_XTTS__SPEAKER`."""
        return f"{self._variable}{name}"

    async def ask(self, method: str, path: str, *, limit_s: float = ASK_LIMIT_S, **request: Any) -> Answer:
        """An answer that is no sound, whatever its status.

        Raises EngineUnavailable with the remedy when none comes, ImplausibleAudio for one too large.
        """
        try:
            with self._errors_named():
                client = await self._connected()
                async with asyncio.timeout(limit_s), client.stream(method, self._url + path, **request) as response:
                    return Answer(response.status_code, await self._body(response))
        except (EngineUnavailable, ImplausibleAudio):
            raise
        except EngineError as error:
            remedy = f"look whether it works, or correct {self.entry(self._url_entry)}"
            raise EngineUnavailable(f"{error}; remedy: {remedy}") from error.__cause__

    async def speak(self, method: str, path: str, reader: SoundReader, emit: Emit, **request: Any) -> None:
        """Ask for sound and hand it on as it comes; returns at its clean end. Raises EngineError.

        When cancelled, nothing more is handed on, and it returns when the server has finished. A second
        cancellation ends that waiting.
        """
        outlet = _Outlet(emit)
        receiving = asyncio.create_task(self._receive(method, path, reader, outlet, request))
        try:
            await asyncio.shield(receiving)
        except asyncio.CancelledError:
            outlet.open = False
            await _let_go(receiving, ABANDONED_LIMIT_S if self._finishes else 0.0)
            raise

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def refusal(self, status: int, body: bytes, spoken: str = "") -> EngineError:
        """What an HTTP status other than 200 means. The message is `said`'s, with the remedy where there is one."""
        said = self.said(status, body, spoken)
        if status in (401, 403):
            return EngineUnavailable(f"{said}; remedy: correct {self.entry('API_KEY')}")
        if status == 402:
            return EngineUnavailable(f"{said}; remedy: pay for the account that {self.entry('API_KEY')} belongs to")
        if status in (404, 405) or 300 <= status < 400:
            return EngineUnavailable(f"{said}; remedy: correct {self.entry(self._url_entry)}")
        if status in (400, 413, 422):
            return EngineRefused(said)
        return EngineError(said)

    def said(self, status: int, body: bytes, spoken: str = "") -> str:
        """The server's own words, shortened, without the key and without `spoken`, which servers like to repeat."""
        words = brief(without_echo(read_refusal(body).message, spoken), self._secret)
        return f"{self.where} answered {status}" + (f": {words}" if words else "")

    # -- inside

    async def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            client = await asyncio.to_thread(http_client, self._url, self._headers)
            self._client = self._client or client
        return self._client

    async def _receive(self, method: str, path: str, reader: SoundReader, emit: _Outlet, request: Any) -> None:
        with self._errors_named():
            client = await self._connected()
            async with client.stream(method, self._url + path, **request) as response:
                if response.status_code != 200:
                    raise self.refusal(response.status_code, await self._body(response), _spoken(request))
                pieces = Pieces()
                async for data in self._bounded(response, MAX_SOUND_BYTES):
                    samples = reader.feed(data)
                    if len(samples):
                        emit(pieces.feed(samples, reader.rate_hz))
                reader.end()
                emit(pieces.end(reader.rate_hz))

    async def _body(self, response: httpx.Response) -> bytes:
        return b"".join([data async for data in self._bounded(response, MAX_BODY_BYTES)])

    async def _bounded(self, response: httpx.Response, room: int) -> AsyncIterator[bytes]:
        """The body as it comes. Nothing compressed was asked for, and a small body can unpack to a very large one."""
        if (encoding := response.headers.get("content-encoding", "identity").lower()) != "identity":
            raise ImplausibleAudio(f"{self.where} sent {brief(encoding)} data unasked")
        async for data in response.aiter_raw():
            room -= len(data)
            if room < 0:
                raise ImplausibleAudio(f"{self.where} sent more than any sentence can be")
            yield data

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """Foreign errors become this project's, in one place, cause kept; unknown ones stay as they are."""
        try:
            yield
        except AudioError as error:
            raise ImplausibleAudio(f"{self.where}: {error}") from error
        except TimeoutError as error:
            raise EngineError(f"{self.where} kept silent too long") from error
        except Exception as error:
            if (named := self._named(error)) is None:
                raise
            raise named from error

    def _named(self, error: Exception) -> EngineError | None:
        import httpx  # noqa: PLC0415 - loaded long since: the error is its

        if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError):
            return EngineError(f"{self.where} broke the connection off")
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            said = brief(str(error) or type(error).__name__, self._secret)
            remedy = f"start it, or correct {self.entry(self._url_entry)}"
            return EngineUnavailable(f"cannot reach {self.where} ({said}); remedy: {remedy}")
        return None


class _Outlet:
    """Hands pieces on while somebody wants them."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.open = True

    def __call__(self, piece: Pcm | None) -> None:
        if piece is not None and self.open:
            self._emit(piece)


def _spoken(request: Mapping[str, Any]) -> str:
    """What a request asks to be spoken, in the shapes that servers take: a field, a parameter, a bare body."""
    for part in (request.get(name) for name in ("json", "params", "data")):
        if isinstance(part, Mapping) and (text := part.get("text") or part.get("input")):
            return str(text)
    content = request.get("content", b"")
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)


async def _let_go(receiving: asyncio.Task[None], limit_s: float) -> None:
    """Returns when `receiving` has ended: by itself within `limit_s`, else, or when cancelled again, cancelled."""
    try:
        if limit_s:
            await asyncio.wait([receiving], timeout=limit_s)
    finally:
        receiving.cancel()
        await asyncio.wait([receiving])
        if not receiving.cancelled():
            receiving.exception()  # nobody waits for it
