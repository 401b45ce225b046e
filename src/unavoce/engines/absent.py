"""An engine that is configured and cannot even be made, since its package or its voice is not there. It keeps its
place in the chain, so that everybody can see why it does not speak."""

from __future__ import annotations

from collections.abc import Sequence

from unavoce.engines.base import Emit, Engine, EngineOptions, Voice
from unavoce.errors import EngineUnavailable, UnavoceError


class AbsentEngine(Engine):
    """Stands for the engine called `name`; `error` says why it is not there."""

    def __init__(self, error: UnavoceError) -> None:
        super().__init__(EngineOptions(), None)  # type: ignore[arg-type]  # it uses nothing of the process
        self._error = error

    @classmethod
    def called(cls, name: str, error: UnavoceError) -> AbsentEngine:
        named: type[AbsentEngine] = type("AbsentEngine", (cls,), {"name": name})
        return named(error)

    def voices(self) -> Sequence[Voice]:
        return ()

    async def start(self) -> None:
        raise EngineUnavailable(str(self._error)) from self._error

    async def synthesise(self, spoken: str, voice: Voice, emit: Emit) -> None:
        raise EngineUnavailable(str(self._error)) from self._error
