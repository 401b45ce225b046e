"""Section `xtts` of the settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from unavoce.engines.base import EngineOptions
from unavoce.engines.remote_options import ApiKey, ServerUrl

DialectName = Literal["auto", "coqui", "streaming", "api-server", "openai"]


class XttsOptions(EngineOptions):
    """Which server speaks, and as whom."""

    max_concurrency: int | None = Field(default=None, ge=1)
    url: ServerUrl = ""
    """The server's address up to its port, or up to a prefix that a proxy put before it; needed."""
    dialect: DialectName = "auto"
    speaker: str = ""
    """One of the server's speakers, or a `.wav` to be cloned; the server's first where none is named."""
    language: str = Field(default="en", min_length=2)
    """A code such as `en` or `zh-cn`."""
    model: str = "tts-1"
    """Asked for in the dialect `openai` only; the others have one model."""
    api_key: ApiKey | None = None
    """Sent as a bearer token where one is set."""

    @field_validator("url")
    @classmethod
    def _base(cls, url: str) -> str:
        """Without the `/v1` that OpenAI-style addresses are often written with."""
        return url.rstrip("/").removesuffix("/v1")

    @field_validator("speaker", "language")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip()
