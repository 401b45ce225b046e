"""Piper voices on disk: what is found, what is read, and what is said of files that are wrong."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from unavoce.engines.piper_voices import find_voices, fingerprints, read_voice
from unavoce.errors import EngineUnavailable

CONFIG: dict[str, Any] = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "de"},
    "language": {"code": "de_DE"},
    "num_speakers": 2,
    "speaker_id_map": {"anna": 0, "bert": 1},
}


def put_voice(folder: Path, name: str, config: object = CONFIG, model: bytes = b"model") -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(model)
    path.with_name(f"{name}.onnx.json").write_text(json.dumps(config))
    return path


def test_reads_what_the_config_says(tmp_path: Path) -> None:
    """Name, language and speakers come from the two files."""
    voice = read_voice(put_voice(tmp_path, "thorsten"))
    assert (voice.name, voice.language, voice.speaker_count) == ("thorsten", "de-DE", 2)
    assert [voice.speaker_id(name) for name in ("bert", "0", "2", "carl", "-1")] == [1, 0, None, None, None]


def test_old_configs_name_only_espeaks_voice(tmp_path: Path) -> None:
    """Without a language code the voice of espeak tells the language."""
    config = {key: value for key, value in CONFIG.items() if key != "language"}
    assert read_voice(put_voice(tmp_path, "old", config)).language == "de"


@pytest.mark.parametrize("missing", ["v.onnx", "v.onnx.json"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    """A voice lacking one of its two files names the one that is not there."""
    put_voice(tmp_path, "v")
    (tmp_path / missing).unlink()
    with pytest.raises(EngineUnavailable, match=rf"{missing} is not there"):
        read_voice(tmp_path / "v.onnx")


@pytest.mark.parametrize("config", [[], {}, {"espeak": None}, {**CONFIG, "num_speakers": None}])
def test_a_config_of_something_else_is_named(tmp_path: Path, config: object) -> None:
    """JSON that does not describe a voice is refused by the name of its file."""
    with pytest.raises(EngineUnavailable, match=r"v\.onnx\.json is not the config of a Piper voice"):
        read_voice(put_voice(tmp_path, "v", config))


def test_a_torn_config_is_named(tmp_path: Path) -> None:
    """A config that is cut off is refused by name, with the remedy."""
    model = put_voice(tmp_path, "v")
    (tmp_path / "v.onnx.json").write_text('{"audio": {')
    with pytest.raises(EngineUnavailable, match=r"v\.onnx\.json cannot be read .*replace it"):
        read_voice(model)


def test_a_bad_voice_does_not_hide_the_good(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder gives its readable voices by name; the others are named in the log."""
    for name in ("b", "a", "broken"):
        put_voice(tmp_path, name)
    (tmp_path / "broken.onnx.json").unlink()
    with caplog.at_level(logging.WARNING):
        assert [voice.name for voice in find_voices(tmp_path)] == ["a", "b"]
    assert "broken.onnx.json" in caplog.records[0].reason
    assert find_voices(tmp_path / "nowhere") == []


def test_a_fingerprint_follows_the_content(tmp_path: Path) -> None:
    """Equal content has an equal fingerprint; another model, or another config, has another one."""
    names = ("one", "same", "other_model", "other_config")
    put_voice(tmp_path, "one")
    put_voice(tmp_path, "same")
    put_voice(tmp_path, "other_model", model=b"other")
    put_voice(tmp_path, "other_config", {**CONFIG, "inference": {"length_scale": 2}})
    found = fingerprints(find_voices(tmp_path), tmp_path / "store" / "f.json")
    one, same, other_model, other_config = (found[name] for name in names)
    assert one == same
    assert len({one, other_model, other_config}) == 3


def test_a_known_model_is_not_read_again(tmp_path: Path) -> None:
    """With size and time unchanged the kept digest stands, even when the model cannot be read any more."""
    model, store = put_voice(tmp_path, "v"), tmp_path / "f.json"
    voices = find_voices(tmp_path)
    first = fingerprints(voices, store)
    model.unlink()
    assert fingerprints(voices, store) == first


def test_a_changed_model_is_read_again(tmp_path: Path) -> None:
    """A model of another size gets a new fingerprint in spite of the kept one."""
    put_voice(tmp_path, "v")
    store = tmp_path / "f.json"
    first = fingerprints(find_voices(tmp_path), store)
    put_voice(tmp_path, "v", model=b"longer model")
    assert fingerprints(find_voices(tmp_path), store) != first


@pytest.mark.parametrize("damage", ["", "[]", '{"x": 1}', '{"x": ["a", "b", "c"]}'])
def test_a_damaged_store_is_made_anew(tmp_path: Path, damage: str) -> None:
    """Whatever stands in the store of digests, the fingerprints are right, and the store is mended."""
    put_voice(tmp_path, "v")
    store = tmp_path / "f.json"
    right = fingerprints(find_voices(tmp_path), store)
    mended = store.read_text()
    store.write_text(damage)
    assert fingerprints(find_voices(tmp_path), store) == right
    assert store.read_text() == mended


def test_the_store_forgets_voices_that_are_gone(tmp_path: Path) -> None:
    """The store holds the voices of the last start only, so it cannot grow for ever."""
    put_voice(tmp_path, "stays")
    put_voice(tmp_path, "goes")
    store = tmp_path / "f.json"
    fingerprints(find_voices(tmp_path), store)
    (tmp_path / "goes.onnx").unlink()
    fingerprints(find_voices(tmp_path), store)
    assert [Path(path).stem for path in json.loads(store.read_text())] == ["stays"]


def test_an_unwritable_store_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fingerprints are right where they cannot be kept; the log says so."""
    put_voice(tmp_path, "v")
    (tmp_path / "file").write_text("in the way")
    right = fingerprints(find_voices(tmp_path), tmp_path / "f.json")
    with caplog.at_level(logging.WARNING):
        assert fingerprints(find_voices(tmp_path), tmp_path / "file" / "f.json") == right
    assert "piper_fingerprints_not_kept" in caplog.text
