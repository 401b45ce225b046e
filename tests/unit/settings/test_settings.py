"""Where settings come from, which one wins, and what is said about a wrong one."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.errors import SettingsError
from unavoce.settings import load_settings
from unavoce.settings.model import setting_names

SECRET = "sk-do-not-show-me"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _refused(environ: dict[str, str], **flags: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, **flags)
    return str(caught.value)


def test_defaults_are_those_of_the_contract() -> None:
    """With nothing set, the server listens on this machine only and speaks with Piper at 24 kHz."""
    settings = load_settings(environ={})
    assert (settings.host, settings.port) == ("127.0.0.1", 8010)
    assert settings.engines == ("piper",)
    assert (settings.sample_rate_hz, settings.tts_max_parallel) == (24_000, 2)
    assert (settings.opus_enabled, settings.opus_bitrate) == (False, 32_000)
    assert settings.reconnect_grace_s == 15
    assert settings.api_keys == settings.cors_origins == ()
    assert settings.data_dir.is_absolute()
    assert settings.engine_section("piper") == {}


@pytest.mark.parametrize("layers", range(4))
def test_a_later_layer_wins(layers: int, tmp_path: Path) -> None:
    """A flag beats the environment, the environment beats the file, the file beats the default."""
    environ: dict[str, str] = {}
    flags: dict[str, int] = {}
    if layers >= 1:
        (tmp_path / "unavoce.toml").write_text("port = 1001\n")
    if layers >= 2:
        environ["UNAVOCE_PORT"] = "1002"
    if layers >= 3:
        flags["port"] = 1003
    assert load_settings(environ=environ, **flags).port == [8010, 1001, 1002, 1003][layers]


def test_a_table_is_laid_over_a_table_entry_by_entry(tmp_path: Path) -> None:
    """One variable changes one entry of a section and leaves the file's others."""
    (tmp_path / "unavoce.toml").write_text('[piper]\nvoice = "file"\nthreads = 2\n[llm]\nmodel = "m"\n')
    settings = load_settings(
        environ={"UNAVOCE_PIPER__VOICE": "variable", "UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:1/v1"}
    )
    assert settings.engine_section("piper") == {"voice": "variable", "threads": 2}
    assert (settings.llm.model, settings.llm.base_url) == ("m", "http://127.0.0.1:1/v1")


def test_a_named_file_is_read_instead_of_the_one_in_the_folder(tmp_path: Path) -> None:
    """`config` replaces `unavoce.toml`; they are not mixed."""
    (tmp_path / "unavoce.toml").write_text('port = 1001\nhost = "0.0.0.0"\n')
    other = tmp_path / "other.toml"
    other.write_text("port = 1002\n")
    settings = load_settings(config=other, environ={})
    assert (settings.port, settings.host) == (1002, "127.0.0.1")


@pytest.mark.parametrize("written", ["fake,piper", " fake , piper ", '["fake", "piper"]'])
def test_lists_in_the_environment(written: str) -> None:
    """A list is written with commas or as JSON."""
    assert load_settings(environ={"UNAVOCE_ENGINES": written}).engines == ("fake", "piper")


def test_a_section_in_one_variable() -> None:
    """A whole section can be given as JSON, and a nested variable still wins over it."""
    environ = {"UNAVOCE_FAKE__RATE_HZ": "8000", "UNAVOCE_FAKE": '{"voices": ["a", "b"], "rate_hz": 1}'}
    assert load_settings(environ=environ).engine_section("fake") == {"voices": ["a", "b"], "rate_hz": "8000"}


def test_a_none_flag_was_not_given() -> None:
    """Flags that the command line did not have leave the layers below alone."""
    assert load_settings(environ={"UNAVOCE_PORT": "1002"}, port=None).port == 1002


WRONG = [
    ({"UNAVOCE_FOO": "1"}, ["UNAVOCE_FOO", "'1'", "name of a setting"]),
    ({"UNAVOCE_PROT": "1"}, ["UNAVOCE_PROT", "did you mean UNAVOCE_PORT?"]),
    ({"UNAVOCE_PIPPER__VOICE": "x"}, ["UNAVOCE_PIPPER__VOICE", "did you mean UNAVOCE_PIPER?"]),
    ({"UNAVOCE_LLM__MODLE": "x"}, ["UNAVOCE_LLM__MODLE", "did you mean UNAVOCE_LLM__MODEL?"]),
    ({"UNAVOCE_LLM__BASE_URL": "example.com"}, ["UNAVOCE_LLM__BASE_URL", "'example.com'", "https?://"]),
    ({"UNAVOCE_LLM__BASE_URL": "http://127.0.0.1:1"}, ["llm = a table of base_url", "llm.model"]),
    ({"UNAVOCE_LLM__MAX_TOKENS": "0"}, ["UNAVOCE_LLM__MAX_TOKENS", "'0'", "a whole number from 1"]),
    ({"UNAVOCE_PORT": "x"}, ["UNAVOCE_PORT", "'x'", "a whole number from 0 to 65535"]),
    ({"UNAVOCE_PORT": "65536"}, ["UNAVOCE_PORT", "'65536'", "from 0 to 65535"]),
    ({"UNAVOCE_PORT__X": "3"}, ["UNAVOCE_PORT__X", "a whole number"]),
    ({"UNAVOCE_HOST": "http://x"}, ["UNAVOCE_HOST", "without scheme"]),
    ({"UNAVOCE_DATA_DIR": ""}, ["UNAVOCE_DATA_DIR", "a path"]),
    ({"UNAVOCE_ENGINES": "pipper"}, ["UNAVOCE_ENGINES", "'pipper'", "did you mean piper?"]),
    ({"UNAVOCE_ENGINES": ""}, ["UNAVOCE_ENGINES", "one or more"]),
    ({"UNAVOCE_ENGINES": "fake,fake"}, ["UNAVOCE_ENGINES", "different"]),
    ({"UNAVOCE_ENGINES": '["fake", 3]'}, ["UNAVOCE_ENGINES", "a list of texts"]),
    ({"UNAVOCE_PIPER": "joe"}, ["UNAVOCE_PIPER", "a table"]),
    ({"UNAVOCE_ENGINE_SECTIONS": "{}"}, ["UNAVOCE_ENGINE_SECTIONS", "name of a setting"]),
    ({"UNAVOCE_LOG_LEVEL": "loud"}, ["UNAVOCE_LOG_LEVEL", "'loud'", "'info'"]),
    ({"UNAVOCE_OPUS_ENABLED": "maybe"}, ["UNAVOCE_OPUS_ENABLED", "'maybe'", "true or false"]),
    ({"UNAVOCE_RECONNECT_GRACE_S": "nan"}, ["UNAVOCE_RECONNECT_GRACE_S", "'nan'", "a number from 0"]),
    ({"UNAVOCE_CORS_ORIGINS": "x.com"}, ["UNAVOCE_CORS_ORIGINS", "origins such as"]),
    ({"UNAVOCE_SAMPLE_RATE_HZ": "96000"}, ["UNAVOCE_SAMPLE_RATE_HZ", "from 8000 to 48000"]),
    ({"UNAVOCE_TTS_MAX_PARALLEL": "0"}, ["UNAVOCE_TTS_MAX_PARALLEL", "from 1 to"]),
]


@pytest.mark.parametrize(("environ", "said"), WRONG, ids=[next(iter(environ)) for environ, _ in WRONG])
def test_a_wrong_variable_stops_the_start(environ: dict[str, str], said: list[str]) -> None:
    """The error names the variable as written, its value, and what was expected."""
    message = _refused(environ)
    assert all(part in message for part in said), message


def test_a_wrong_flag_is_named_as_a_flag() -> None:
    """What came from the command line is named the way it was typed."""
    assert "--port = 99999" in _refused({}, port=99999)
    assert "did you mean --data-dir?" in _refused({}, data_dri="x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1\n", ["prot in", "did you mean port?"]),
        ("port = 'x'\n", ["port in", "'x'", "whole number"]),
        ("[llm]\nmodle = 'x'\n", ["llm.modle in", "did you mean llm.model?"]),
        ("port =\n", ["--config", "valid TOML", "line 1"]),
    ],
)
def test_a_wrong_file_stops_the_start(text: str, said: list[str], tmp_path: Path) -> None:
    """The error names the entry and the file it stands in."""
    (tmp_path / "unavoce.toml").write_text(text)
    message = _refused({})
    assert all(part in message for part in said), message
    assert "unavoce.toml" in message


def test_a_missing_or_unreadable_file_stops_the_start(tmp_path: Path) -> None:
    """A file that was asked for must be there and be text."""
    torn = tmp_path / "torn.toml"
    torn.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path, torn):
        with pytest.raises(SettingsError, match="--config"):
            load_settings(config=path, environ={})


@pytest.mark.parametrize(
    "environ",
    [
        {"UNAVOCE_API_KEYS": f"{SECRET} with a space"},
        {"UNAVOCE_API_KEYS": f'["{SECRET}"'},
        {"UNAVOCE_API_KEYS": f'["{SECRET}", 3]'},
        {"UNAVOCE_API_KEY": SECRET},
        {"UNAVOCE_APIKEYS": SECRET},
        {"UNAVOCE_LLM": f'{{"api_key": "{SECRET}"'},
        {"UNAVOCE_LLM": f'["{SECRET}"]'},
        {"UNAVOCE_LLM__APIKEY": SECRET},
        {"UNAVOCE_LLM__API_KEY__X": SECRET},
        {"UNAVOCE_LLMS": f'{{"api_key": "{SECRET}"}}'},
        {"UNAVOCE_LLMS__API_KEY": SECRET},
        {"UNAVOCE_PIPER": SECRET},
        {"UNAVOCE_OPENAI_PASSWORD": SECRET},
    ],
    ids=lambda environ: f"{next(iter(environ))}",
)
def test_secrets_are_never_shown(environ: dict[str, str]) -> None:
    """However a secret is misplaced or misspelt, neither the message nor its causes hold it."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ)
    assert SECRET not in str(caught.value) + repr(caught.value.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_settings_do_not_print_secrets() -> None:
    """The object can be logged: keys and engines' sections are left out of its text."""
    environ = {"UNAVOCE_API_KEYS": SECRET, "UNAVOCE_LLM__API_KEY": SECRET, "UNAVOCE_FAKE__API_KEY": SECRET}
    settings = load_settings(environ=environ)
    assert SECRET not in repr(settings) + str(settings)
    assert settings.api_keys[0].get_secret_value() == SECRET


def test_settings_are_frozen() -> None:
    """No part of the program can change a setting behind another's back."""
    settings = load_settings(environ={})
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


@given(port=st.integers(0, 65535), rate=st.integers(8_000, 48_000), grace=st.floats(0, 3600))
def test_any_value_within_bounds_survives_the_environment(port: int, rate: int, grace: float) -> None:
    """Text in a variable and a value in a flag come to the same settings."""
    variables = {
        "UNAVOCE_PORT": str(port),
        "UNAVOCE_SAMPLE_RATE_HZ": str(rate),
        "UNAVOCE_RECONNECT_GRACE_S": repr(grace),
    }
    flags = {"port": port, "sample_rate_hz": rate, "reconnect_grace_s": grace}
    assert load_settings(environ=variables) == load_settings(environ={}, **flags)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
JSON = st.recursive(st.none() | st.booleans() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))


def _name_of_refusal(variable: str, value: str) -> str | None:
    try:
        load_settings(environ={variable: value})
    except SettingsError as error:
        return error.name
    return None


@given(name=st.text(string.ascii_uppercase + string.digits + "_", max_size=30), value=TEXTS)
def test_any_variable_is_taken_or_refused_by_name(name: str, value: str) -> None:
    """Whatever is in the environment, the answer is settings or a SettingsError, never another exception."""
    variable = f"UNAVOCE_{name}"
    known = name.split("__", maxsplit=1)[0].lower() in {*setting_names(), "piper", "fake"}
    refused = _name_of_refusal(variable, value)
    assert known or refused == variable


@given(name=st.sampled_from([*setting_names(), "piper", "fake"]), value=TEXTS | JSON.map(json.dumps))
def test_any_value_is_taken_or_refused_by_name(name: str, value: str) -> None:
    """A known name with any value gives settings or a SettingsError that begins with that name."""
    variable = f"UNAVOCE_{name.upper()}"
    assert (_name_of_refusal(variable, value) or variable).startswith(variable)
