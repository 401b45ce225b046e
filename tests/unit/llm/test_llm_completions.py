from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.errors import ModelError
from unavoce.llm.completions import Delta, completions_url, read_event, read_whole, refusal
from unavoce.llm.faults import PromptTooLongError
from unavoce.outbound import brief

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "message", "error", "index", "finish_reason"]), inner
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h:8080", "http://h:8080/v1/chat/completions"),
        ("http://h:8080/", "http://h:8080/v1/chat/completions"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://h/v1/", "https://h/v1/chat/completions"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai/chat/completions"),
        ("http://[::1]:11434/api/v1", "http://[::1]:11434/api/v1/chat/completions"),
    ],
)
def test_base_urls_are_taken_as_people_write_them(base: str, url: str) -> None:
    """With or without `/v1` and a slash at the end the same address comes out; other paths are kept."""
    assert completions_url(base) == url


@pytest.mark.parametrize(
    ("event", "delta"),
    [
        ({"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}, Delta("hi", False)),
        ({"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}, Delta("hi", True)),
        ({"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]}, Delta("", False)),
        ({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}, Delta("", False)),
        ({"choices": [{"index": 0, "delta": None, "finish_reason": "length"}]}, Delta("", True)),
        ({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}, Delta("", False)),
        (
            {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]},
            Delta("yes", False),
        ),
        ({"choices": [], "usage": {"total_tokens": 3}}, Delta("", False)),
        ({"choices": None}, Delta("", False)),
        ({"error": None, "choices": [{"delta": {"content": "x"}}]}, Delta("x", False)),
    ],
)
def test_events_are_read_as_servers_send_them(event: dict[str, Any], delta: Delta) -> None:
    """Missing, null, role-only, reasoning, second-choice and usage events add nothing and break nothing."""
    assert read_event(json.dumps(event)) == delta


@pytest.mark.parametrize(
    "data",
    [
        "{not json",
        "[]",
        "7",
        '{"choices": 7}',
        '{"choices": [7]}',
        '{"choices": [{"delta": {"content": 7}}]}',
        '{"choices": [{"delta": "hi"}]}',
        "[" * 100_000,
    ],
)
def test_nonsense_is_a_broken_model(data: str) -> None:
    """What is no completion ends the answer with `model_broken`."""
    with pytest.raises(ModelError) as caught:
        read_event(data)
    assert caught.value.code == "model_broken"


@given(json_values)
def test_no_json_raises_anything_else(value: Any) -> None:
    """Any JSON is text, an end, nothing, or a `ModelError`; never another exception."""
    for read in (read_event, read_whole):
        with contextlib.suppress(ModelError):
            assert isinstance(read(json.dumps(value)), Delta | str)


def test_an_error_in_mid_stream_carries_the_servers_words() -> None:
    """The user learns what the server reported."""
    with pytest.raises(ModelError, match="out of memory"):
        read_event('{"error": {"message": "out of memory", "code": 500}}')


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "model_refused"),
        (401, "model_refused"),
        (403, "model_refused"),
        (404, "model_unavailable"),
        (408, "model_timeout"),
        (413, "model_refused"),
        (429, "model_unavailable"),
        (500, "model_unavailable"),
        (503, "model_unavailable"),
        (504, "model_timeout"),
        (307, "model_unavailable"),
        (204, "model_unavailable"),
    ],
)
def test_each_status_has_its_code(status: int, code: str) -> None:
    """A caller can tell a refusal from a server that is away, whatever the body holds."""
    for body in ("", "<html>", '{"error": {"message": "no"}}', '{"detail": [{"loc": 1}]}'):
        assert refusal(status, body, "the server", "").code == code


def test_a_servers_message_is_shortened_and_the_key_never_shown() -> None:
    """Some servers repeat the key they refuse; it does not reach logs or clients."""
    body = json.dumps({"error": {"message": "Incorrect API key: sk-secret \n\x1b[31m" + "x" * 5000}})
    message = refusal(401, body, "the server", "sk-secret").message
    assert "sk-secret" not in message
    assert "Incorrect API key" in message
    assert message.isprintable()
    assert len(message) < 300


def test_a_prompt_over_the_context_is_told_apart() -> None:
    """The messages of llama.cpp, vLLM and OpenAI are known, so that a shorter prompt can be tried."""
    for said in (
        "request (6031 tokens) exceeds the available context size (4096 tokens)",
        "This model's maximum context length is 4096 tokens.",
        '{"error": {"code": "context_length_exceeded"}}',
    ):
        assert isinstance(refusal(400, said, "the server", ""), PromptTooLongError)


@given(st.text(max_size=2000))
def test_brief_is_one_short_printable_line(text: str) -> None:
    """Whatever a server says fits into one line."""
    assert len(brief(text)) <= 200
    assert brief(text).isprintable()
