"""What error bodies say, in the shapes that servers use, and what is passed on of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.engines.refusals import Refusal, read_refusal, without_echo

SPOKEN = "My pin is four seven one one, don't tell anyone."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"error": {"message": "Wrong key", "type": "e", "param": None, "code": "invalid_api_key"}},
            Refusal("Wrong key", "invalid_api_key"),
        ),
        ({"error": {"message": "No such voice", "param": "voice"}}, Refusal("No such voice", "", "voice")),
        ({"error": "model not loaded"}, Refusal("model not loaded")),
        ({"detail": "Not Found"}, Refusal("Not Found")),
        ({"detail": {"error": "invalid_model", "message": "Unsupported"}}, Refusal("Unsupported", "invalid_model")),
        ({"detail": {"status": "quota_exceeded", "message": "Used up"}}, Refusal("Used up", "quota_exceeded")),
        (
            {"detail": {"type": "t", "code": "c", "status": "s", "message": "m", "param": "p"}},
            Refusal("m", "c", "p"),
        ),
        (
            {"detail": [{"loc": ["body", "voice"], "msg": "Field required", "input": {"input": SPOKEN}}]},
            Refusal("body.voice: Field required", "invalid", "voice"),
        ),
        ({"message": "plain"}, Refusal("plain")),
        ({"detail": {"status": "only_a_code"}}, Refusal("only_a_code", "only_a_code")),
        ([], Refusal("")),
        (7, Refusal("")),
        ({"detail": [1, {}]}, Refusal(": ", "invalid")),
    ],
)
def test_each_shape_of_an_error_is_read(body: object, said: Refusal) -> None:
    """Message, code and parameter are found wherever a server puts them."""
    assert read_refusal(json.dumps(body).encode()) == said


def test_a_page_is_read_without_its_marks() -> None:
    """Of an HTML page what a person would read is kept."""
    page = b"<!doctype html><style>p {x}</style><title>500 Internal Server Error</title>"
    assert read_refusal(page).message.split() == ["500", "Internal", "Server", "Error"]


@given(st.binary(max_size=300))
def test_no_body_is_too_strange(body: bytes) -> None:
    """Whatever comes, something is read and nothing is raised."""
    read_refusal(body)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_json_is_too_strange(value: object) -> None:
    """Nor any JSON under the names that are looked for."""
    for body in (value, {"error": value}, {"detail": value}, {"detail": [{"loc": value, "msg": value}]}):
        read_refusal(json.dumps(body).encode())


def test_deep_json_is_not_followed() -> None:
    """A body made to exhaust the stack is read as text."""
    assert read_refusal(b"[" * 60_000).message.startswith("[")


@pytest.mark.parametrize(
    "echo",
    [
        SPOKEN,
        SPOKEN.upper(),
        SPOKEN[:30],
        SPOKEN[10:],
        f"cannot say '{SPOKEN}' in this voice",
        f"{SPOKEN[:20]} ... {SPOKEN[25:]}",
    ],
)
def test_what_was_to_be_spoken_is_blotted_out(echo: str) -> None:
    """Servers repeat the text they refuse, whole, cut short or in two; no run of twelve characters of it is left."""
    said = without_echo(f"Invalid input: {echo} (at 0)", SPOKEN)
    assert said.startswith("Invalid input")
    assert all(SPOKEN[at : at + 12].lower() not in said.lower() for at in range(len(SPOKEN) - 11))


def test_a_short_text_is_blotted_out_whole() -> None:
    """One that is shorter than any chance likeness is found all the same."""
    assert without_echo("cannot say 'Pin 4711'", "Pin 4711") == "cannot say '…'"


def test_a_message_that_repeats_nothing_stays() -> None:
    """Words in common with the text are no echo."""
    message = "Voice 'anna' not found. Available voices: bella, cora"
    assert without_echo(message, "The voice of Anna was not to be found.") == message
    assert without_echo(message, "") == message


@given(before=st.text(max_size=40), start=st.integers(0, 36), size=st.integers(12, 60), after=st.text(max_size=40))
def test_no_echo_is_left_wherever_it_stands(before: str, start: int, size: int, after: str) -> None:
    """Any passage of twelve characters or more is gone, whatever stands around it."""
    said = without_echo(before + SPOKEN[start : start + size] + after, SPOKEN)
    assert all(SPOKEN[at : at + 12] not in said for at in range(len(SPOKEN) - 11))
