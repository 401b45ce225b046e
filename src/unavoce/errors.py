"""Every error this project raises on purpose.

UnavoceError
├── SettingsError        a setting is unknown or invalid; the start stops
│   └── NotThere             an engine's setting names something that is not there; the others may still speak
├── StartError           the server cannot start here (port taken, folder unwritable)
├── RequestError         a caller's mistake; `code` goes back to the caller
├── EngineError          an engine did not speak; `retryable` says whether trying again can help
│   ├── EngineUnavailable    it is not there (not installed, not loaded, connection refused)
│   ├── EngineRefused        it will not speak this text or voice: the caller's fault, not its health's
│   └── ImplausibleAudio     what it sent cannot be the text (empty, silent, absurd length)
├── ModelError           the language model did not answer; `code` goes to the session
├── AudioError           sound could not be read or encoded
├── CacheError           the folder of the disk cache cannot be used, as a whole
└── HistoryError         history on disk cannot be read, written or cleared
"""

from __future__ import annotations

from typing import Final

REMEDY: Final = "; remedy: "
"""What stands between cause and remedy in a message."""


class UnavoceError(Exception):
    """Root of the tree above."""


class SettingsError(UnavoceError):
    """A setting is unknown or has a value that cannot be used."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(f"setting {name} = {value!r}: expected {expected}")
        self.name = name
        self.value = value
        self.expected = expected


class NotThere(SettingsError):
    """A setting of an engine names a file, a voice or a speaker that is not there: that engine cannot speak."""


class StartError(UnavoceError):
    """The process cannot start here; the message names the thing and the remedy."""


class RequestError(UnavoceError):
    """A caller's mistake. `code` is one of the codes listed in docs/protocol.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EngineError(UnavoceError):
    """An engine did not speak a sentence."""

    retryable = True


class EngineUnavailable(EngineError):
    """The engine is not there: not installed, not loaded, or its server cannot be reached."""


class EngineRefused(EngineError):
    """The engine will not speak this text or voice. Says nothing about the engine's health."""

    retryable = False


class ImplausibleAudio(EngineError):
    """The engine answered with sound that cannot be the text."""


class ModelError(UnavoceError):
    """The language model did not give a (whole) answer.

    `code`: `model_unavailable`, `model_refused`, `model_timeout` or `model_broken`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AudioError(UnavoceError):
    """Sound could not be read, converted or encoded."""


class CacheError(UnavoceError):
    """The disk cache's folder cannot be used; the message names it and the remedy. Speech goes on without it."""


class HistoryError(UnavoceError):
    """History on disk cannot be used; the message names the file and the remedy. Conversations go on in memory."""
