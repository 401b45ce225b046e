"""The prompt: what of a conversation a model is shown, within a budget of tokens. Pure.

The rules, in order:

1. Blank messages are dropped, system messages within the history join the system prompt, and neighbours of
   one role become one message, since many chat templates insist on alternation.
2. The last `keep_last` to `keep_last + STRIDE - 1` messages are kept. The cut moves `STRIDE` messages at a time, so
   that from one message to the next the prompt mostly grows at its end and a server's prefix cache holds.
3. A message too long for its share is shortened in its middle: the newest user message may fill the room left
   by the system prompt, an older one half of it, the system prompt half of the budget.
4. While the estimate exceeds the budget, the oldest turn (a user message and its answer) goes; if the newest one alone
   does not fit beside the examples, the examples go. The newest user message always stays.
5. What is left of the history begins with a user message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from unavoce.llm.base import Message

STRIDE: Final = 10
MESSAGE_OVERHEAD: Final = 6
"""Tokens a chat template spends on a message besides its text, and a little more."""
ELLIPSIS: Final = " … "
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ "


def estimate_tokens(text: str) -> int:
    """How many tokens `text` takes, on the safe side.

    English letters and spaces count 1/3.5, other ASCII characters (digits, marks) one each, and anything
    else its UTF-8 bytes, which is the most a byte-level tokenizer can make of it.
    """
    encoded = text.encode("utf-8", "replace")
    dense = len(encoded.translate(None, _PLAIN))
    return dense - (-2 * (len(encoded) - dense) // 7)


def build_prompt(
    system_prompt: str,
    examples: Sequence[Message],
    history: Sequence[Message],
    budget_tokens: int,
    keep_last: int = 20,
) -> list[Message]:
    """The messages to send: system prompt, example turns, then as much of `history` as fits.

    Raises `ValueError` when `history` holds no user message with text in it.
    """
    system = _system_message(system_prompt, history, budget_tokens // 2)
    turns = _turns(_recent(_merged(m for m in history if m.role != "system"), keep_last))
    room = budget_tokens - _cost(system)
    turns = _shorten(turns, room)
    shown = list(examples) if _cost(examples) + _cost(turns[-1]) <= room else []
    turns = _newest_that_fit(turns, room - _cost(shown))
    return [*system, *shown, *(message for turn in turns for message in turn)]


def shorten(text: str, max_tokens: int) -> str:
    """`text` itself if it fits, else its beginning and its end with an ellipsis between them."""
    if estimate_tokens(text) <= max_tokens:
        return text
    fits, too_long = 0, min(len(text), max(1, max_tokens) * 4)  # a token covers no more than 3.5 characters
    while too_long - fits > 1:
        kept = (fits + too_long) // 2
        if estimate_tokens(_without_middle(text, kept)) <= max_tokens:
            fits = kept
        else:
            too_long = kept
    return _without_middle(text, fits)


def _without_middle(text: str, kept: int) -> str:
    head = kept - kept // 2
    return text[:head] + ELLIPSIS + text[len(text) - kept // 2 :]


def _cost(messages: Iterable[Message]) -> int:
    return sum(estimate_tokens(message.text) + MESSAGE_OVERHEAD for message in messages)


def _system_message(system_prompt: str, history: Sequence[Message], max_tokens: int) -> list[Message]:
    texts = [system_prompt, *(message.text for message in history if message.role == "system")]
    text = _encodable("\n\n".join(text for text in texts if text.strip()))
    return [Message("system", shorten(text, max_tokens - MESSAGE_OVERHEAD))] if text else []


def _merged(messages: Iterable[Message]) -> list[Message]:
    spoken = (Message(m.role, _encodable(m.text)) for m in messages if m.text.strip())
    runs = groupby(spoken, key=lambda message: message.role)
    return [Message(role, "\n\n".join(message.text for message in run)) for role, run in runs]


def _encodable(text: str) -> str:
    """Lone surrogates cannot be sent as UTF-8; they become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _recent(messages: list[Message], keep_last: int) -> list[Message]:
    """Cut at a multiple of `STRIDE`; always keeps the newest user message."""
    if not any(message.role == "user" for message in messages):
        raise ValueError("a prompt needs a user message with text in it")
    start = max(0, len(messages) - max(2, keep_last)) // STRIDE * STRIDE
    return messages[start:]


def _turns(messages: list[Message]) -> list[list[Message]]:
    """Each user message with its answer, if it has one; an answer without its question is dropped."""
    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    return [messages[start : start + 2] for start in starts]


def _shorten(turns: list[list[Message]], room: int) -> list[list[Message]]:
    older = [[_shortened(message, room // 2) for message in turn] for turn in turns[:-1]]
    question, *answer = turns[-1]
    if not answer:
        return [*older, [_shortened(question, room)]]
    return [*older, [_shortened(question, room // 2), _shortened(answer[0], room // 2)]]


def _shortened(message: Message, max_tokens: int) -> Message:
    return Message(message.role, shorten(message.text, max_tokens - MESSAGE_OVERHEAD))


def _newest_that_fit(turns: list[list[Message]], room: int) -> list[list[Message]]:
    """The longest run of newest turns within `room` tokens, the newest in any case."""
    start = len(turns) - 1
    left = room - _cost(turns[start])
    while start and (left := left - _cost(turns[start - 1])) >= 0:
        start -= 1
    return turns[start:]
