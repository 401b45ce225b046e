from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from unavoce.cores import Cores
from unavoce.llm.embedded import EmbeddedModel
from unavoce.llm.factory import create_model
from unavoce.llm.openai import OpenAIModel
from unavoce.llm.options import LlmSettings


def test_without_a_base_url_the_model_is_embedded() -> None:
    """The default needs no settings at all."""
    assert isinstance(create_model(LlmSettings(), Cores()), EmbeddedModel)


def test_with_a_base_url_the_model_is_a_server() -> None:
    """A base URL and a model name are enough."""
    model = create_model(LlmSettings(base_url="http://127.0.0.1:1", model="m"), Cores())
    assert isinstance(model, OpenAIModel)
    assert model.name == "m"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"base_url": "http://h"}, "llm.model"),
        ({"model": "gpt-4"}, "llm.base_url"),
        ({"base_url": "localhost:8080", "model": "m"}, "base_url"),
        ({"base_url": "ftp://h", "model": "m"}, "base_url"),
        ({"context_tokens": 600, "max_tokens": 400}, "llm.context_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_settings_that_cannot_work_are_named(values: dict[str, Any], named: str) -> None:
    """The error says which setting is wrong."""
    with pytest.raises(ValidationError, match=named):
        LlmSettings(**values)


def test_a_key_that_fits_no_header_is_refused_unshown() -> None:
    """A key with a line break is refused by name, and the error does not show it."""
    with pytest.raises(ValidationError, match="api_key") as caught:
        LlmSettings(base_url="http://h", model="m", api_key=SecretStr("sk-secret\n"))
    assert "sk-secret" not in str(caught.value)
