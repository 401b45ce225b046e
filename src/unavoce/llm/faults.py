"""What both kinds of model say when they do not answer."""

from __future__ import annotations

from unavoce.errors import ModelError


class PromptTooLongError(ModelError):
    """The model's own count of the prompt exceeds its context: our estimate was too low. A shorter one may do."""

    def __init__(self, message: str) -> None:
        super().__init__("model_refused", message)


class ModelLoadingError(ModelError):
    """The model is not there yet, and will be: messages wait for it."""

    def __init__(self, message: str) -> None:
        super().__init__("model_unavailable", message)
