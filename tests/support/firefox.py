"""Debian's Firefox, driven by WebDriver BiDi: Playwright drives a Firefox of its own making only.

Without a sound card its audio clock stands still, so it gets one made of nothing.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.bidi import Bidi, BidiError, Fields, bidi_session, plain, remote
from tests.support.browser import SEEN, Watch
from tests.support.sound import LISTEN_IN, PATIENCE_S, TAP, Sound

FIREFOXES = ("firefox-esr", "firefox")
# As WebDriver has the keys that are no characters.
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004"}


def firefox_program() -> str | None:
    return next(filter(None, map(shutil.which, FIREFOXES)), None)


# -- the browser


@asynccontextmanager
async def running_firefox(program: str, folder: Path) -> AsyncIterator[Bidi]:
    """A Firefox without a window, with a profile and a sound card of its own in `folder`."""
    profile = folder / "profile"
    profile.mkdir()
    options = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    async with (
        _sound_card(folder) as environment,
        _process(program, *options, environment=environment) as process,
    ):
        address = await _told(process, r"WebDriver BiDi listening on (ws://\S+)")
        async with bidi_session(f"{address}/session", "log.entryAdded", "network.beforeRequestSent") as bidi:
            yield bidi


@asynccontextmanager
async def _sound_card(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The environment in which a program finds a sound card that plays to nobody; the given one on machines without
    PulseAudio, which are people's own."""
    environment = dict(os.environ)
    if (program := shutil.which("pulseaudio")) is None:
        yield environment
        return
    socket = folder / "sound"
    environment |= {
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_COOKIE": str(folder / "cookie"),
        "PULSE_RUNTIME_PATH": str(folder),
    }
    options = ["-n", "--daemonize=no", "--use-pid-file=no", "--disable-shm", "--exit-idle-time=-1", "--log-level=4"]
    modules = ["-L", "module-null-sink", "-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"]
    async with _process(program, *options, *modules, environment=environment) as process:
        await _told(process, r"(Daemon startup complete)")
        yield environment


@asynccontextmanager
async def _process(
    program: str, *options: str, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        program, *options, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def _told(process: asyncio.subprocess.Process, pattern: str) -> str:
    """What a program says of itself; the rest of its words is let go."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := (await process.stderr.readline()).decode(errors="replace"):
            if found := re.search(pattern, line):
                return found[1]
    raise AssertionError(f"ended without saying {pattern}")


# -- a visit


@dataclass(slots=True)
class FirefoxPage:
    """A tab, as far as the tests need it; the names are Playwright's."""

    bidi: Bidi
    context: str

    async def goto(self, url: str) -> None:
        await self.bidi.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def evaluate(self, function: str, *arguments: str | int) -> Any:
        """What a JavaScript function gives back; no gesture."""
        answer = await self.bidi.call(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[remote(one) for one in arguments],
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return plain(answer["result"])

    async def seen(self, condition: str) -> None:
        """Returns when a JavaScript expression about the page is true; looked at whenever the page changes."""
        await self.evaluate(f"() => {SEEN % condition}")

    async def click(self, selector: str) -> None:
        """A press of the mouse in the middle of an element."""
        middle = (
            "s => { const r = document.querySelector(s).getBoundingClientRect(); return [r.x, r.y, r.width, r.height] }"
        )
        x, y, width, height = await self.evaluate(middle, selector)
        move = {"type": "pointerMove", "x": round(x + width / 2), "y": round(y + height / 2)}
        press: list[Fields] = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        await self._act(type="pointer", id="mouse", actions=[move, *press])

    async def press(self, *keys: str) -> None:
        """Keys one after the other: characters, or names in `KEYS`."""
        codes = [KEYS.get(key, key) for key in keys]
        actions = [{"type": kind, "value": code} for code in codes for kind in ("keyDown", "keyUp")]
        await self._act(type="key", id="keyboard", actions=actions)

    async def _act(self, **source: Any) -> None:
        await self.bidi.call("input.performActions", context=self.context, actions=[source])


@dataclass(slots=True)
class FirefoxVisit:
    """One person in a profile of their own."""

    page: FirefoxPage
    watch: Watch = field(default_factory=Watch)

    @property
    def sound(self) -> Sound:
        return Sound(self.page)


@asynccontextmanager
async def visiting_firefox(bidi: Bidi, url: str) -> AsyncIterator[FirefoxVisit]:
    """A visit to `url` that starts with nothing remembered; one at a time."""
    person = (await bidi.call("browser.createUserContext"))["userContext"]
    tab = (await bidi.call("browsingContext.create", type="tab", userContext=person))["context"]
    visit = FirefoxVisit(FirefoxPage(bidi, tab))
    visit.watch.origins.add(urlsplit(url).netloc)
    intercept = await _watched(bidi, visit)
    try:
        await visit.page.goto(url)
        with visit.watch.recording():
            yield visit
    finally:
        bidi.listeners.clear()
        await bidi.call("network.removeIntercept", intercept=intercept)
        await bidi.call("browser.removeUserContext", userContext=person)


async def _watched(bidi: Bidi, visit: FirefoxVisit) -> str:
    """Let the page be heard and its faults be seen; what ends the listening."""
    tab = visit.page.context
    answers: set[asyncio.Task[Fields]] = set()

    def asked(event: Fields) -> None:
        if event["isBlocked"]:
            answers.add(asyncio.ensure_future(_give_tap(bidi, event["request"]["request"])))
        elif event["context"] == tab:
            visit.watch.asked(event["request"]["url"])

    def logged(event: Fields) -> None:
        if event["level"] == "error" and event["source"].get("context") == tab:
            visit.watch.found(event["text"])

    bidi.on("network.beforeRequestSent", asked)
    bidi.on("log.entryAdded", logged)
    await bidi.call("script.addPreloadScript", functionDeclaration=f"() => {{{LISTEN_IN}}}", contexts=[tab])
    pattern = {"type": "pattern", "pathname": "/listen-in/tap.js"}
    asking = {"phases": ["beforeRequestSent"], "urlPatterns": [pattern], "contexts": [tab]}
    return str((await bidi.call("network.addIntercept", **asking))["intercept"])


async def _give_tap(bidi: Bidi, request: str) -> Fields:
    header = {"name": "content-type", "value": {"type": "string", "value": "text/javascript"}}
    body = {"type": "base64", "value": base64.b64encode(TAP.encode()).decode()}
    return await bidi.call(
        "network.provideResponse", request=request, statusCode=200, reasonPhrase="OK", headers=[header], body=body
    )
