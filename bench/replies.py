"""The six scripted replies, in the shapes that others were measured with, and how their tokens come."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from time import perf_counter

TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]")
"""About what a language model writes at a time: a word with the blank before it, or a mark."""
PACE = 30.0
"""Tokens a second: a comfortable model on small hardware, and four times the speed of speech."""

_EIGHT = (
    "The house was built in the spring of that year by two brothers. "
    "Neither of them had ever laid a brick before. "
    "They borrowed a cart, a horse and a great deal of patience from the farmer next door. "
    "By the end of May the walls stood as high as a man. "
    "Then the rain came, and for three weeks nobody could work. "
    "The younger brother wanted to give up and go back to the sea. "
    "The older one said nothing, and simply went on carrying stones. "
    "In September they lit the first fire, and the house has been warm ever since."
)
_MORE = (
    "People still tell the story when the evenings grow long. "
    "Some say there were three brothers, and some say there was only one. "
    "The horse, at least, is in every version. "
    "It was a grey mare with a white foot and a bad temper. "
    "She would not cross the bridge after dark. "
    "Nobody ever found out why. "
    "The farmer kept her until she was very old. "
    "When she died, the brothers planted an apple tree by the gate. "
    "It bears small red apples that are far too sour to eat. "
    "Every autumn the children try them all the same. "
    "The well behind the house is deeper than it looks. "
    "If you drop a pebble, you can count to four before you hear it."
)

REPLIES: Mapping[str, str] = {
    "short": "Certainly, sir. The lights are off.",
    "three sentences": (
        "Good evening, sir. The heating is on in the library and the study. Dinner will be ready at a quarter to eight."
    ),
    "eight": _EIGHT,
    "abbreviations and list": (
        "Dr. Smith will see you at 10 a.m. on Monday, sir. Please bring the following:\n\n"
        "1. Your passport, e.g. the old one.\n2. A recent photograph (approx. 3.5 by 4.5 cm).\n"
        "3. $25.50 in cash.\n\nThe office is at 12 St. James St., opposite the bank."
    ),
    "twenty": f"{_EIGHT} {_MORE}",
    "very long first sentence": (
        "When the last of the guests had gone and the lamps along the drive had been put out one by one, the old man, "
        "who had said very little all evening, walked slowly through the empty rooms, closing a window here and moving "
        "a chair there, until he came to the small door at the end of the passage, which had not been opened since the "
        "winter his brother left for the coast. He turned the key."
    ),
}


def tokens_of(text: str) -> Sequence[str]:
    """`text` in pieces; joined they are `text` again, but for blanks at its end."""
    return TOKEN.findall(text)


class TokenSource:
    """An async stream of tokens that notes when the first one came. Iterate it once.

    `pace`: tokens a second; None for all of them at once.
    """

    def __init__(self, tokens: Sequence[str], pace: float | None) -> None:
        self._tokens = tokens
        self._pace = pace
        self.first_token_s = 0.0
        """By `time.perf_counter`; 0 before it came."""

    async def __aiter__(self) -> AsyncIterator[str]:
        self.first_token_s = perf_counter()
        for index, token in enumerate(self._tokens):
            if self._pace is not None:
                # By the schedule and not by the last token, so that delays do not add up.
                await asyncio.sleep(self.first_token_s + index / self._pace - perf_counter())
            yield token
