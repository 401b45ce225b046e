"""What every test shares: an environment without the developer's settings, a watch on the event loop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings as hypothesis_settings
from tests.support.stacks import quick_stacks

# Before any test imports ONNX Runtime, which would tell its maker of every session (unavoce/engines/__init__.py).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# On a busy machine any example may take a second; how fast things are is not a test's question.
hypothesis_settings.register_profile("unavoce", deadline=None)
hypothesis_settings.load_profile("unavoce")


@pytest.fixture(scope="session", autouse=True)
def _debug_mode_is_cheap() -> Iterator[None]:
    """asyncio's debug mode stays on, and remembers where each task was made without reading files."""
    with quick_stacks():
        yield


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see no `UNAVOCE_*` variable of the shell they run in."""
    for name in [name for name in os.environ if name.startswith("UNAVOCE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _loop_stays_free() -> Iterator[BlockBuster]:
    """A blocking call (file, socket, sleep) by this package on the event loop's thread fails the test."""
    with blockbuster_ctx(scanned_modules="unavoce") as watch:
        yield watch


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory of the test's own."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder
