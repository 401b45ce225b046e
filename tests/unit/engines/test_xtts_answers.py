"""What XTTS servers say they have is read with care: it comes from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.engines.remote import Answer
from unavoce.engines.xtts.dialect import MAX_LIST_BYTES, MAX_NAMES, as_json, names
from unavoce.engines.xtts.languages import MAX_CHARS, match, max_chars
from unavoce.engines.xtts.streaming import _embeddings, _members

LEAVES = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
EMBEDDING = {"speaker_embedding": [0.5, -1.0], "gpt_cond_latent": [[1.0, 2.0]]}


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5), st.sampled_from([None, 1, 4]))
def test_members_are_read_one_by_one_as_json_reads_them(value: dict[str, Any], indent: int | None) -> None:
    """Names and values are those of the whole, and each value's own text is JSON for it."""
    members = list(_members(json.dumps(value, indent=indent)))
    assert {name: found for name, found, _ in members} == value
    assert {name: json.loads(source) for name, _, source in members} == value


@given(st.text(alphabet='{}[]",:0a ', max_size=30))
def test_what_is_no_object_is_refused(text: str) -> None:
    """Malformed JSON gives no speakers; no other error comes out of it."""
    try:
        whole = isinstance(json.loads(text), dict)
    except ValueError:
        whole = False
    if not whole:
        assert not _embeddings(Answer(200, text.encode()))


def test_only_embeddings_are_speakers() -> None:
    """Both lists must be there, and a speaker is kept as the server wrote it."""
    odd = {"whole": EMBEDDING, "half": {"speaker_embedding": [1.0]}, "empty": {**EMBEDDING, "gpt_cond_latent": []}}
    found = _embeddings(Answer(200, json.dumps({**odd, "text": "?", "": EMBEDDING}).encode()))
    assert found is not None
    assert list(found) == ["whole"]
    assert json.loads(found["whole"].body) == EMBEDDING


@pytest.mark.parametrize("answer", [Answer(500, b"{}"), Answer(200, b"[]"), Answer(200, b""), Answer(200, b"\xff{}")])
def test_another_answer_is_no_list_of_speakers(answer: Answer) -> None:
    """A server that answers so speaks another dialect."""
    assert _embeddings(answer) is None


def test_names_are_bounded() -> None:
    """Numbers, blanks, control characters, endless names and endless lists are left out."""
    assert names(["Ana", 7, "", "  ", "a\nb", "x" * 201, None, "Ana", "Uta"]) == ("Ana", "Uta")
    assert len(names([str(number) for number in range(5_000)])) == MAX_NAMES
    assert names({"Ana": 1}) == ()


def test_a_list_is_small_or_none() -> None:
    """Megabytes of JSON would hold up every other reply."""
    assert as_json(Answer(200, b'["en"]')) == ["en"]
    assert as_json(Answer(404, b'["en"]')) is None
    assert as_json(Answer(200, b"[" * 200_000)) is None
    assert as_json(Answer(200, b"[" + b" " * MAX_LIST_BYTES + b"]")) is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("en", "en"), ("EN", "en"), ("en-GB", "en"), ("zh", "zh-cn"), ("zh_CN", "zh-cn"), ("tlh", None), ("e", None)],
)
def test_a_language_is_found_under_the_servers_name_for_it(wanted: str, found: str | None) -> None:
    """Codes differ in case and region."""
    assert match(wanted, ["de", "en", "zh-cn"]) == found


def test_texts_stay_below_the_tokenizers_limit() -> None:
    """For every language it has, and for others as for English."""
    assert all(max_chars(code) < most for code, most in MAX_CHARS.items())
    assert max_chars("xx") == max_chars("en-GB") == 249
    assert max_chars("zh-cn") == 81
