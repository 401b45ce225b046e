"""Kokoro without its model: the phoneme map, cutting, digests and joining, and what is said when files are missing."""
# ruff: noqa: RUF001 - phonemes look like other letters

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.kokoro import KokoroEngine, KokoroOptions
from unavoce.engines.kokoro_files import is_whole, missing, place
from unavoce.engines.kokoro_phonemes import in_kokoro, runs_of, tokens
from unavoce.errors import EngineUnavailable, SettingsError


@pytest.mark.parametrize(
    ("espeak", "british", "kokoro"),
    [("ɡˌəʊ hˈəʊm", True, "ɡˌQ hˈQm"), ("tʃˈeə", True, "ʧˈɛː"), ("ɡˌoʊ", False, "ɡˌO"), ("bˈɜːd", False, "bˈɜɹd")],
)
def test_phonemes_are_kokoros(espeak: str, british: bool, kokoro: str) -> None:
    """Diphthongs and affricates are one letter; long vowels are British."""
    assert in_kokoro(espeak, british=british) == kokoro


def test_punctuation_alone_is_not_spoken() -> None:
    """Only a text with a phoneme gives tokens; unknown signs are left out."""
    assert tokens("...", {".": 4}) == []
    assert tokens("a~.", {"a": 43, ".": 4}) == [43, 4]


@given(st.text(alphabet="ab ,."), st.integers(1, 9))
def test_cutting_loses_nothing(phonemes: str, limit: int) -> None:
    """The parts together are the whole, each within the limit and none empty."""
    parts = runs_of(phonemes, limit)
    assert "".join(parts) == phonemes
    assert all(0 < len(part) <= limit for part in parts)


def test_parts_join_to_the_pinned_file_or_to_nothing(tmp_path: Path) -> None:
    """A join with the right digest is the parts in order; with another one nothing is left behind."""
    parts = [tmp_path / "0", tmp_path / "1"]
    for part in parts:
        part.write_bytes(part.name.encode())
    sha256 = hashlib.sha256(b"01").hexdigest()
    place(parts, tmp_path / "new" / "model", sha256)
    assert (tmp_path / "new" / "model").read_bytes() == b"01"
    with pytest.raises(EngineUnavailable, match="unavoce voices install kokoro"):
        place(reversed(parts), tmp_path / "bad" / "model", sha256)
    assert list((tmp_path / "bad").iterdir()) == []


def test_a_damaged_file_is_missing(tmp_path: Path) -> None:
    """One flipped byte counts as absence."""
    (tmp_path / "a").write_bytes(b"a")
    sha256 = hashlib.sha256(b"a").hexdigest()
    assert is_whole(tmp_path / "a", sha256)
    assert missing(tmp_path, {"a": sha256, "b": sha256}) == ["b"]
    (tmp_path / "a").write_bytes(b"b")
    assert missing(tmp_path, {"a": sha256}) == ["a"]


async def test_missing_files_name_the_remedy(data_dir: Path) -> None:
    """The start fails with the command that installs the files."""
    engine = KokoroEngine(KokoroOptions(), EngineContext(data_dir, Cores(2)))
    with pytest.raises(EngineUnavailable, match="remedy: unavoce voices install kokoro"):
        await engine.start()
    await engine.close()


def test_an_unknown_voice_is_a_wrong_setting(data_dir: Path) -> None:
    """The setting is named, and the voices there are."""
    with pytest.raises(SettingsError, match=r"kokoro\.voice.*bm_george"):
        KokoroEngine(KokoroOptions(voice="nobody"), EngineContext(data_dir, Cores(2)))
