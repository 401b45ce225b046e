"""What is said when the embedded model cannot be loaded."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from unavoce.cores import Cores
from unavoce.errors import ModelError
from unavoce.llm.embedded import EmbeddedModel
from unavoce.llm.options import LlmSettings
from unavoce.llm.process import ModelProcess


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("ImportError: libgomp.so.1: cannot open shared object file: No such file or directory", "libgomp1"),
        ("RuntimeError: failed to load model", "--force-reinstall"),
    ],
)
def test_the_remedy_fits_the_reason(reason: str, remedy: str) -> None:
    """A library that the machine lacks is named with its package; a file that cannot be read is to be fetched anew."""

    async def refused(*_: object, **__: object) -> ModelProcess:
        raise ModelError("model_unavailable", reason)

    async def start() -> None:
        await EmbeddedModel(LlmSettings(), Cores()).start()

    with patch.object(ModelProcess, "launch", refused), pytest.raises(ModelError, match=remedy):
        asyncio.run(start())
