"""Which language model the settings ask for."""

from __future__ import annotations

from unavoce.cores import Cores
from unavoce.llm.base import LanguageModel
from unavoce.llm.embedded import EmbeddedModel
from unavoce.llm.options import LlmSettings


def create_model(section: LlmSettings, cores: Cores) -> LanguageModel:
    """The server at `base_url`, or without one the embedded model. Nothing is loaded or connected yet."""
    if section.base_url is None:
        return EmbeddedModel(section, cores)
    # Only here: its HTTP client would cost everybody else a tenth of the start.
    from unavoce.llm.openai import OpenAIModel  # noqa: PLC0415

    return OpenAIModel(section)
