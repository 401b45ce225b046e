"""What both kinds of model say when they do not answer."""

from __future__ import annotations

from typing import Final

from unavoce.errors import ModelError

_LONGEST: Final = 200


class PromptTooLongError(ModelError):
    """The model's own count of the prompt exceeds its context: our estimate was too low. A shorter one may do."""

    def __init__(self, message: str) -> None:
        super().__init__("model_refused", message)


def brief(text: str, *secrets: str) -> str:
    """A server's message on one line of at most 200 characters, with `secrets` blotted out."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST]).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
