"""What the tests in a browser share: one browser for all of them, and a visit that starts with nothing remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from tests.support.bidi import Bidi
from tests.support.browser import RecordingFailed, Visit, running_chromium, visiting
from tests.support.firefox import firefox_program, running_firefox
from tests.support.server import real_server

__all__ = ["real_server"]
"""One for all tests of this folder, which find it by its name."""

HERE = Path(__file__).parent
Visiting = Callable[..., AbstractAsyncContextManager[Visit]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser belongs to the event loop that started it, so all tests of this folder share one loop, and one process.

    They play in real time and leave a core free: where there are two processes, the other tests run beside them. A test
    whose recording lost samples on a busy machine says nothing, and is run once more; any other failure stands.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=RecordingFailed.__name__))
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of the whole run."""
    async with running_chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bidi]:
    """Debian's Firefox, for the whole run; tests that ask for it are skipped where there is none."""
    if (program := firefox_program()) is None:
        pytest.skip("no Firefox on this machine")
    async with running_firefox(program, tmp_path_factory.mktemp("firefox")) as bidi:
        yield bidi


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Visiting:
    """`async with visit(url, **options) as someone`: see `visiting`."""
    return partial(visiting, chromium, name=request.node.name)
