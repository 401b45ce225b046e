"""How well sentences are cut, and how long a listener waits for the cut.

Each text of the gold set is fed in tokens like a language model's. A *wrong cut* begins a sentence where the gold set
has none; a *merge* misses a beginning. *Tokens waited* is how many tokens came after the one that completes a sentence
until the sentence was given out (0 for the last one, which the end of the stream closes). Beside ours: a plain regular
expression, and sentencex, each on a growing buffer whose last piece is kept back.

Run: `python -m bench.sentences [--verbose]`
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sentencex

from unavoce.text import SentenceStream

GOLD = Path(__file__).parent.parent / "tests" / "gold" / "sentences.toml"
TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+$")
MARK = "¦"


@dataclass(frozen=True)
class GoldText:
    language: str
    about: str
    text: str
    starts: tuple[int, ...]
    """Where sentences begin, the text's own beginning left out."""


@dataclass
class Score:
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        found, true = self.right + len(self.wrong), self.right + len(self.merged)
        return {
            "precision": self.right / found if found else 1.0,
            "recall": self.right / true if true else 1.0,
            "wrong_cuts": len(self.wrong),
            "merges": len(self.merged),
            "tokens_waited_mean": sum(self.waits) / len(self.waits) if self.waits else 0.0,
            "tokens_waited_max": max(self.waits, default=0),
        }


Emissions = Iterator[tuple[int, int]]
"""For each sentence: where it begins, and how many tokens had been fed when it came out."""
Cutter = Callable[[str, list[str]], Emissions]


def load_gold() -> list[GoldText]:
    texts = tomllib.loads(GOLD.read_text(encoding="utf-8"))["text"]
    return [_read(entry) for entry in texts]


def _read(entry: dict[str, str]) -> GoldText:
    pieces = entry["cuts"].split(MARK)
    starts = [sum(map(len, pieces[:n])) for n in range(1, len(pieces))]
    return GoldText(entry["lang"], entry["about"], "".join(pieces), tuple(at for at in starts if at))


def sentence_count() -> int:
    return sum(len(gold.starts) + 1 for gold in load_gold())


def ours(language: str, tokens: list[str]) -> Emissions:
    stream = SentenceStream(language)
    for count, token in enumerate(tokens, 1):
        yield from ((sentence.start, count) for sentence in stream.feed(token))
    yield from ((sentence.start, len(tokens)) for sentence in stream.end())


def growing_buffer(split: Callable[[str, str], list[str]]) -> Cutter:
    """A cutter that splits what it has at each token and keeps the last piece back."""

    def cut(language: str, tokens: list[str]) -> Emissions:
        buffer, base = "", 0
        for count, token in enumerate(tokens, 1):
            buffer += token
            *whole, _ = split(language, buffer) or [""]
            for piece in whole:
                yield base + len(piece) - len(piece.lstrip()), count
                base += len(piece)
            buffer = buffer[sum(map(len, whole)) :]
        yield base + len(buffer) - len(buffer.lstrip()), len(tokens)

    return cut


def _plain_split(_: str, text: str) -> list[str]:
    ends = [match.end() for match in re.finditer(r"(?<=[.!?])\s+", text)]
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def score(cut: Cutter) -> Score:
    total = Score()
    for gold in load_gold():
        _score_text(total, gold, cut)
    return total


def _score_text(total: Score, gold: GoldText, cut: Cutter) -> None:
    tokens = TOKEN.findall(gold.text)
    emitted = list(cut(gold.language, tokens))
    first = len(gold.text) - len(gold.text.lstrip())
    found = {start for start, _ in emitted} - {first}
    true = set(gold.starts)
    total.right += len(found & true)
    total.wrong += [_show(gold, at) for at in sorted(found - true)]
    total.merged += [_show(gold, at) for at in sorted(true - found)]
    ends = {start: following for (start, _), following in zip(emitted, gold_ends(gold, emitted), strict=True)}
    for start, count in emitted:
        if (start in true or start == first) and ends[start] is not None:
            total.waits.append(count - _token_of(tokens, ends[start] or 0))


def gold_ends(gold: GoldText, emitted: list[tuple[int, int]]) -> list[int | None]:
    """For each emitted sentence the end of the gold sentence that begins there; None where the cut was not the same."""
    ends: list[int | None] = []
    beginnings = [*gold.starts, len(gold.text)]
    following = [start for start, _ in emitted[1:]] + [len(gold.text)]
    for (start, _), after in zip(emitted, following, strict=True):
        true_next = next((at for at in beginnings if at > start), None)
        ends.append(len(gold.text[:after].rstrip()) if true_next == after else None)
    return ends


def _token_of(tokens: list[str], end: int) -> int:
    """How many tokens have been fed when the text up to `end` is there."""
    length = 0
    for count, token in enumerate(tokens, 1):
        length += len(token)
        if length >= end:
            return count
    return len(tokens)


def _show(gold: GoldText, at: int) -> str:
    return f"{gold.language} {gold.about}: …{gold.text[max(0, at - 30) : at]!r} | {gold.text[at : at + 20]!r}"


CUTTERS: dict[str, Cutter] = {
    "unavoce": ours,
    "re.split loop": growing_buffer(_plain_split),
    "sentencex on a growing buffer": growing_buffer(lambda language, text: list(sentencex.segment(language, text))),
}


def main(verbose: bool = False) -> dict[str, Any]:
    """Print the table; returns it as plain data."""
    rows = {name: score(cut) for name, cut in CUTTERS.items()}
    print(f"{sentence_count()} sentences in {len({gold.language for gold in load_gold()})} languages")
    print(f"{'':32}precision  recall  wrong  merges  tokens waited: mean  max")
    for name, result in rows.items():
        figures = result.as_dict()
        print(
            f"{name:32}{figures['precision']:9.3f}{figures['recall']:8.3f}{figures['wrong_cuts']:7}"
            f"{figures['merges']:8}{figures['tokens_waited_mean']:21.2f}{figures['tokens_waited_max']:5}"
        )
    if verbose:
        for line in [f"wrong  {w}" for w in rows["unavoce"].wrong] + [f"merge  {m}" for m in rows["unavoce"].merged]:
            print(line)
    return {name: result.as_dict() for name, result in rows.items()}


if __name__ == "__main__":
    main(verbose="--verbose" in sys.argv)
