"""Sound files: whole, or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from unavoce.audio.files import SoundFile
from unavoce.errors import AudioError

CLIP = (np.sin(np.arange(22_050) / 9) * 20_000).astype(np.int16)
LOSSLESS, LOSSY = [".wav", ".flac", ".WAV"], [".ogg", ".opus"]


def write(path: Path, size: int = 1_000, clip: np.ndarray = CLIP) -> None:
    with SoundFile(path, 22_050) as file:
        for start in range(0, len(clip), size):
            file.write(clip[start : start + size])


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("size", [1, 999, 50_000])
def test_lossless_files_hold_the_samples(tmp_path: Path, suffix: str, size: int) -> None:
    """WAV and FLAC give back what was written, in pieces of any size."""
    clip = CLIP[:3_000] if size == 1 else CLIP
    write(tmp_path / f"a{suffix}", size, clip)
    samples, rate_hz = soundfile.read(tmp_path / f"a{suffix}", dtype="int16")
    assert rate_hz == 22_050
    assert np.array_equal(samples, clip)


@pytest.mark.parametrize("suffix", LOSSY)
def test_ogg_files_hold_the_length(tmp_path: Path, suffix: str) -> None:
    """Ogg files are Opus of the right length, at the rate next above."""
    write(tmp_path / f"a{suffix}")
    samples, rate_hz = soundfile.read(tmp_path / f"a{suffix}")
    assert rate_hz == 24_000
    assert abs(len(samples) - 24_000) <= 1


@pytest.mark.parametrize("suffix", LOSSLESS + LOSSY)
def test_a_file_of_nothing_can_be_read(tmp_path: Path, suffix: str) -> None:
    """With no sound at all there is still a file that opens, of 10 ms at most."""
    write(tmp_path / f"a{suffix}", clip=CLIP[:0])
    samples, rate_hz = soundfile.read(tmp_path / f"a{suffix}")
    assert len(samples) <= rate_hz // 100


@pytest.mark.parametrize("suffix", LOSSLESS + LOSSY)
def test_a_failure_leaves_the_folder_as_it_was(tmp_path: Path, suffix: str) -> None:
    """An exception half way leaves the old file under the name and nothing else beside it."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), SoundFile(path, 22_050) as file:
        _write_and_fail(file)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def _write_and_fail(file: SoundFile) -> None:
    file.write(CLIP)
    raise ZeroDivisionError


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    """Until the last sample is written there is no file under the name."""
    with SoundFile(tmp_path / "a.wav", 22_050) as file:
        file.write(CLIP)
        assert not (tmp_path / "a.wav").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("name", ["a.mp3", "a", "wav"])
def test_an_unknown_suffix_names_the_known_ones(tmp_path: Path, name: str) -> None:
    """A name that tells no format is refused before anything is written."""
    with pytest.raises(AudioError, match=r"\.wav, \.flac, \.ogg, \.opus"):
        SoundFile(tmp_path / name, 22_050)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says which folder cannot be written to."""
    with pytest.raises(AudioError, match="nowhere"), SoundFile(tmp_path / "nowhere" / "a.wav", 22_050):
        pass


def test_a_rate_that_a_format_refuses_leaves_nothing(tmp_path: Path) -> None:
    """When the encoder cannot be made, the temporary file goes too."""
    with pytest.raises(AudioError, match="encoded"), SoundFile(tmp_path / "a.flac", -5) as file:
        file.write(CLIP)
    assert list(tmp_path.iterdir()) == []
