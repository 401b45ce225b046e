"""Whatever a body holds, it is a request or a refusal that OpenAI's clients can read."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from unavoce.chain.chain import MAX_SPEED, MIN_SPEED
from unavoce.server.speech.refusals import SpeechRefused, answer_to
from unavoce.server.speech.request import SpeechRequest, parse

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["tts-1", "fake"]),
    "voice": st.sampled_from(["alloy", {"id": "tone"}]),
    "input": st.text(),
    "instructions": st.none() | st.text(),
    "response_format": st.sampled_from([None, "mp3", "opus", "aac", "flac", "wav", "pcm"]),
    "speed": st.none() | st.floats(0.25, 4.0) | st.integers(1, 4),
    "stream_format": st.sampled_from([None, "audio", "sse"]),
}
MIXED = st.fixed_dictionaries({}, optional={name: good | ANYTHING for name, good in GOOD.items()})
NEEDED = ("model", "voice", "input")
WHOLE = st.fixed_dictionaries(
    {name: GOOD[name] for name in NEEDED},
    optional={name: good for name, good in GOOD.items() if name not in NEEDED},
)


def outcome(body: bytes) -> SpeechRequest | SpeechRefused:
    try:
        return parse(body)
    except SpeechRefused as refused:
        return refused


@given(MIXED | ANYTHING)
def test_any_json_is_taken_or_refused(body: Any) -> None:
    """A refusal is a 400 with all of OpenAI's fields; a request has a speed that is spoken here."""
    met = outcome(json.dumps(body).encode())
    if isinstance(met, SpeechRefused):
        error = json.loads(bytes(answer_to(met).body))["error"]
        assert met.status == 400
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
    else:
        assert MIN_SPEED <= met.spoken_speed <= MAX_SPEED


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_taken(body: bytes) -> None:
    """Nothing else comes of them."""
    assert isinstance(outcome(body), SpeechRefused | SpeechRequest)


@given(WHOLE)
def test_what_openai_takes_is_taken(body: dict[str, Any]) -> None:
    """Every field in any of its values, or left out, or null where OpenAI has a default."""
    met = outcome(json.dumps(body).encode())
    assert isinstance(met, SpeechRequest)
    assert (met.input, met.format) == (body["input"], body.get("response_format") or "mp3")
