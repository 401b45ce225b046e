"""The chat completion protocol as OpenAI-compatible servers really speak it: what their JSON says. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from unavoce.errors import ModelError
from unavoce.llm.faults import PromptTooLongError
from unavoce.outbound import brief

DONE: Final = "[DONE]"
_TOO_LONG: Final = re.compile(r"context[_ ](length|size|window)|prompt is too long|maximum context", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delta:
    """What one event adds to the answer."""

    text: str
    finished: bool


def completions_url(base_url: str) -> str:
    """Where to send requests. Without a path `/v1` is added; a path is taken as it stands, whatever its ending.

    So `http://host`, `http://host/`, `http://host/v1` and `http://host/v1/chat/completions` are the same.
    """
    scheme, host, path, _, _ = urlsplit(base_url)
    path = path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((scheme, host, f"{path}/chat/completions", "", ""))


def read_event(data: str) -> Delta:
    """Read one event of a stream. Raises `ModelError` when it reports an error or is no completion."""
    choice = _choice(_object(data))
    delta = choice.get("delta") or {}
    return Delta(_content(delta), _finished(choice))


def read_whole(body: str) -> str:
    """Read an answer that came in one piece although a stream was asked for."""
    choice = _choice(_object(body))
    if not choice:
        raise _nonsense()
    _finished(choice)
    return _content(choice.get("message") or {})


def refusal(status: int, body: str, where: str, key: str) -> ModelError:
    """What an HTTP status other than 200 means, with the server's own message, shortened, and without the key."""
    said = brief(_message(body), key)
    said = f"{where} answered {status}" + (f": {said}" if said else "")
    if status == 400 and _TOO_LONG.search(body):
        return PromptTooLongError(said)
    if status in (401, 403):
        return ModelError("model_refused", f"{said}; remedy: correct llm.api_key")
    if status == 404 or 300 <= status < 400:
        return ModelError("model_unavailable", f"{said}; remedy: correct llm.base_url or llm.model")
    if status in (408, 504):
        return ModelError("model_timeout", said)
    busy_or_broken = status == 429 or status >= 500 or status < 300
    return ModelError("model_unavailable" if busy_or_broken else "model_refused", said)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _nonsense() from None
    if not isinstance(value, dict):
        raise _nonsense()
    if value.get("error"):
        raise ModelError("model_broken", f"the language model's server reported: {brief(_message(text))}")
    return value


def _choice(completion: dict[str, Any]) -> dict[str, Any]:
    """The first choice; empty where an event holds only others, or only usage figures."""
    choices = completion.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise _nonsense()
    return next((choice for choice in choices if choice.get("index", 0) in (0, None)), {})


def _content(holder: Any) -> str:
    content = holder.get("content") if isinstance(holder, dict) else 0
    if content is None:
        return ""  # role, tool call or reasoning only
    if not isinstance(content, str):
        raise _nonsense()
    return content


def _finished(choice: dict[str, Any]) -> bool:
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise ModelError("model_refused", "the language model's server withheld the answer (content filter)")
    if reason == "error":
        raise ModelError("model_broken", "the language model's server ended the answer with an error")
    return reason is not None


def _message(body: str) -> str:
    """The message in an error body, in the shapes servers use; else the body itself."""
    try:
        error: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    for name in ("error", "message", "detail"):
        if isinstance(error, dict) and error.get(name):
            error = error[name]
    return error if isinstance(error, str) else json.dumps(error)


def _nonsense() -> ModelError:
    return ModelError("model_broken", "the language model's server sent something that is no chat completion")
