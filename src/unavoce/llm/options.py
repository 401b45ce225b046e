"""The `llm` section of the settings."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from unavoce.llm.base import Message

BUTLER: Final = (
    "You are a courteous British butler who answers aloud, in one to three short, plain sentences. "
    "Be truthful and brief. Address the user as sir."
)
"""The persona a server has when it is given no other."""

EXAMPLES: Final = (
    Message("user", "Hello."),
    Message("assistant", "Good day, sir. How may I help you?"),
    Message("user", "Who are you?"),
    Message("assistant", "I am your butler, sir, a small language model at your service."),
    Message("user", "What is the weather like?"),
    Message("assistant", "I am afraid I cannot see the weather from here, sir."),
    Message("user", "Why do leaves fall in autumn?"),
    Message(
        "assistant",
        "There is less light in autumn, sir. Trees save water and energy by dropping their leaves.",
    ),
)
"""Turns that show the embedded model how a butler answers: a model of its size follows examples, not advice."""


class LlmSettings(BaseModel):
    """Which language model answers, and within what limits. Without `base_url` it is the embedded one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+[^\s?#]*$")
    """An OpenAI-compatible server, with or without `/v1`; see `unavoce.llm.openai.completions_url`."""
    model: str | None = Field(default=None, min_length=1)
    """With `base_url`: the model's name there. Without: a GGUF file for the embedded model."""
    api_key: SecretStr | None = None
    system_prompt: str = BUTLER
    max_tokens: int = Field(default=400, ge=1, le=32_768)
    """Longest answer, in tokens."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    """The server's or the embedded model's own choice where none is given."""
    context_tokens: int = Field(default=4096, ge=512, le=2_000_000)
    """Room for the prompt and the answer together, in tokens."""
    first_token_timeout_s: float = Field(default=60.0, gt=0.0)
    """From sending the prompt to the first sign of an answer; some servers load the model meanwhile."""
    idle_timeout_s: float = Field(default=30.0, gt=0.0)
    """Longest silence within an answer."""
    threads: int | None = Field(default=None, ge=1, le=256)
    """Of the embedded model; by default one on two cores or fewer, else half the cores."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.base_url is not None and self.model is None:
            raise ValueError("llm.base_url needs llm.model, the model's name on that server")
        if self.base_url is None and self.model is not None and not self.model.endswith(".gguf"):
            raise ValueError("llm.model needs llm.base_url, or must be a .gguf file for the embedded model")
        if self.prompt_tokens < 256:
            raise ValueError("llm.context_tokens must exceed llm.max_tokens by 256 or more")
        return self

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not (key.get_secret_value().isascii() and key.get_secret_value().isprintable()):
            raise ValueError("llm.api_key holds characters that no key has (a line break, perhaps)")
        return key

    @property
    def prompt_tokens(self) -> int:
        """Budget of the prompt: what the answer leaves of the context."""
        return self.context_tokens - self.max_tokens
