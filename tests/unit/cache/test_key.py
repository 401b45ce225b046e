"""What a clip is kept under: everything that changes the sound, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.cache import key as key_module
from unavoce.cache.key import key_of
from unavoce.engines.base import Voice

VOICE = Voice("xtts", "Ana", "en", model="v2", speaker="calm", speed=1.0)


@pytest.mark.parametrize("field", [field.name for field in fields(Voice)])
def test_every_field_of_the_voice_is_part_of_the_key(field: str) -> None:
    """Another engine, name, language, model, speaker or speed is another clip."""
    other = replace(VOICE, **{field: 1.1 if field == "speed" else "other"})
    assert key_of(other, "Certainly.") != key_of(VOICE, "Certainly.")


@pytest.mark.parametrize("other", ["polish", "POLISH", "Polish.", "Polish!", "Pol ish", "Pölish", "Polish\u0301"])
def test_another_text_has_another_key(other: str) -> None:
    """Letter case, marks and accents are heard, and so they are kept apart."""
    assert key_of(VOICE, other) != key_of(VOICE, "Polish")


@pytest.mark.parametrize("same", ["Right away.", "  Right away.  ", "Right\taway.", "Right\n \u00a0away.\r\n"])
def test_white_space_is_folded(same: str) -> None:
    """How much white space stands between two words is not heard."""
    assert key_of(VOICE, same) == key_of(VOICE, "Right away.")


def test_the_parts_of_a_key_cannot_run_into_each_other() -> None:
    """Moving letters from one field of the voice into the next makes another voice, and so another key."""
    assert key_of(Voice("ab", "c", "en"), "x") != key_of(Voice("a", "bc", "en"), "x")
    assert key_of(Voice("a", "b", "en", speaker="x"), "y") != key_of(Voice("a", "b", "en", model="x"), "y")


@pytest.mark.parametrize("version", ["FORMAT", "NORMALISER_VERSION"])
def test_what_made_it_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Another version of the text's normaliser, or of the format, finds nothing of before."""
    before = key_of(VOICE, "Done.")
    monkeypatch.setattr(key_module, version, getattr(key_module, version) + 1)
    assert key_of(VOICE, "Done.") != before


@given(st.text(), st.text())
def test_a_key_is_a_digest(spoken: str, name: str) -> None:
    """Whatever is said in whatever voice, the key can be the name of a file, and is the same every time."""
    voice = Voice("fake", name, "en")
    assert re.fullmatch(r"[0-9a-f]{64}", key_of(voice, spoken))
    assert key_of(voice, spoken) == key_of(Voice("fake", name, "en"), spoken)


def test_half_a_character_can_be_a_key() -> None:
    """Lone surrogates come from broken JSON; they are no reason to fall."""
    assert key_of(VOICE, "\ud83d") != key_of(VOICE, "\ude00")
