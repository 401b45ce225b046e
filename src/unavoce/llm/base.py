"""What a language model is to this server: messages in, a stream of text pieces out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str


class LanguageModel(ABC):
    """A streaming chat model. One instance serves all replies of the process."""

    name: str

    async def start(self) -> None:  # noqa: B027 - a model with nothing to load leaves it as it is
        """Load or check what is needed; may take seconds. Raises `ModelError` with the remedy."""

    async def check(self) -> None:  # noqa: B027 - a model with nothing that can fail leaves it as it is
        """Whether it could answer now; cheap. Raises `ModelError` with the reason and the remedy."""

    @abstractmethod
    def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer's text, piece by piece. `messages` are the conversation without the system prompt.

        Waits for a model that is still loading. Raises `ModelError` when the answer is not whole; what was
        yielded before stands. Closing the generator (or cancelling its task) stops the model at once.
        """

    async def close(self) -> None:  # noqa: B027 - a model with nothing to free leaves it as it is
        """Stop everything and free the model."""
