"""ONNX sessions, and computations in them that can be stopped. Imports ONNX Runtime, so it is imported late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from unavoce.audio.pcm import Samples
from unavoce.errors import EngineError, EngineUnavailable

Sound = NDArray[np.float32]
"""Shape (n,), -1 to 1."""


class Stopped(EngineUnavailable):
    """The computation ended because it was told to."""


def _share_memory() -> None:
    """One arena for all sessions of the process, which grows by what is asked for and not by powers of two.

    Else each session keeps what its longest sentence once needed: measured in docs/decisions/022-long-runs.md.
    https://onnxruntime.ai/docs/get-started/with-c.html, "Share allocator(s) between sessions".
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1}))


with suppress(Exception):  # a program that uses us as a library has made one: then that is shared
    _share_memory()


class Run:
    """One computation's off switch; `stop` may be called from any thread, before or during it."""

    def __init__(self) -> None:
        self.options: Any = onnxruntime.RunOptions()
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        self.options.terminate = True


def session(model: Path, threads: int) -> Any:
    """The model over `threads` threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin save no time here but cost a sixth more CPU.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A plan of the memory for each length of input saves no time, and keeps one block for all of it, in an arena that
    # then grows with every longer one: docs/decisions/022-long-runs.md.
    options.enable_mem_pattern = False
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def infer(onnx: Any, inputs: Mapping[str, NDArray[Any]], run: Run) -> Sound:
    """The session's first output. `Stopped` after `run.stop()`, `EngineError` when the computation fails."""
    return np.asarray(outputs(onnx, None, inputs, run)[0], dtype=np.float32).reshape(-1)


def outputs(onnx: Any, names: Sequence[str] | None, inputs: Mapping[str, NDArray[Any]], run: Run) -> list[NDArray[Any]]:
    """The session's outputs of these names, or all. Raises as `infer` does."""
    if run.stopped:
        raise Stopped("stopped before its computation")
    try:
        results: list[NDArray[Any]] = onnx.run(names, inputs, run.options)
    except Exception as error:
        if run.stopped:
            raise Stopped("stopped in mid-sentence") from error
        raise EngineError(f"the model could not speak: {error}") from error
    return results


def int16(sound: Sound) -> Samples:
    """Full scale to full scale, at the sound's own level."""
    return (np.clip(sound, -1.0, 1.0) * 32767).astype(np.int16)
