"""Whether a section of the settings has changed."""

from __future__ import annotations

from typing import Any

import pytest

from unavoce.settings import load_settings
from unavoce.settings.digest import section_digest

SECTION: dict[str, Any] = {"url": "http://10.0.0.9:8020", "speaker": "Uta", "length_scale": 1.5, "voices": ["a", "b"]}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://10.0.0.9:8021"},
        {"speaker": "uta"},
        {"length_scale": 1.6},
        {"voices": ["b", "a"]},
        {"revision": "2"},
        {"more": {"deep": 1}},
    ],
)
def test_every_change_shows(change: dict[str, Any]) -> None:
    """Another value, another order of a list, one entry more, and one less."""
    assert section_digest(SECTION | change) != section_digest(SECTION)
    (name,) = change
    assert section_digest({key: value for key, value in SECTION.items() if key != name}) != section_digest(
        SECTION | change
    )


def test_how_it_was_written_does_not_show() -> None:
    """The order of entries, and whether a number came from the file or from a variable, mean nothing."""
    written = {"voices": ("a", "b"), "length_scale": "1.5", "speaker": "Uta", "url": SECTION["url"]}
    assert section_digest(written) == section_digest(SECTION)


def test_secrets_have_no_part_in_it() -> None:
    """Neither keys, at any depth, nor the login in an address: the digest could be tried against guesses of them."""
    plain = section_digest(SECTION | {"more": {}})
    for secret in ("sesame", "mellon"):
        keyed = {"api_key": secret, "more": {"auth_token": secret}, "url": f"http://me:{secret}@10.0.0.9:8020"}
        assert section_digest(SECTION | keyed) == plain


def test_settings_know_the_digest_of_each_engine() -> None:
    """By the engine's name; an engine without a section has one too."""
    settings = load_settings(environ={"UNAVOCE_PIPER_HTTP__URL": "http://10.0.0.9:5000"})
    assert settings.engine_digest("piper-http") == section_digest({"url": "http://10.0.0.9:5000"})
    assert settings.engine_digest("piper") == section_digest({})
