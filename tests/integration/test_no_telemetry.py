"""Nothing is told to anybody: ONNX Runtime would, on Linux, from the moment that it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 120
ENGINES = {
    "piper": "import unavoce.engines.piper_onnx",
    "kokoro": "import unavoce.engines.kokoro_onnx",
    "one that asks first": "import unavoce.engines.registry, onnxruntime",
}


def left_behind(code: str, home: Path, **environ: str) -> list[Path]:
    """What a process that runs `code` leaves in its home, which is empty before."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    # On a build machine it is silent by itself.
    for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD"):
        kept.pop(name, None)
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", code], env={**kept, "HOME": str(home), **environ}, check=True, timeout=LIMIT_S
    )
    return [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_in_this_process_tells_nobody(engine: str, tmp_path: Path) -> None:
    """ONNX Runtime keeps no number of this device and no queue of events to send."""
    assert left_behind(ENGINES[engine], tmp_path / "home") == []
