"""What can be set, with its default and its bounds. docs/configuration.md is checked against this file."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from unavoce.llm.options import LlmSettings
from unavoce.settings.digest import section_digest

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "human", "json"]

MAX_PHRASES_BYTES = 1 << 20
BUTLER_PHRASES = (
    "Certainly, sir.",
    "Right away.",
    "Systems nominal.",
    "All systems operational.",
    "Good morning, sir.",
    "Good evening, sir.",
    "At your service.",
    "Understood.",
    "Done.",
    "Task complete.",
    "Processing your request.",
    "I'll look into that right away.",
)

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_KEY = re.compile(r"[\x21-\x7e]{1,512}")
_HOST_NAME = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]")


def default_data_dir() -> Path:
    """The platform's folder for what a program keeps for its user."""
    return platformdirs.user_data_path("unavoce", appauthor=False)


def _as_list(value: object) -> object:
    """Environment variables hold text: a JSON list, or names separated by commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _from_json(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _from_json(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('a list: names separated by commas, or JSON such as ["a", "b"]') from None


def _engine_order(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names or len(set(names)) != len(names):
        raise ValueError("a list of one or more different engine names, primary first")
    return names


def _api_key(key: SecretStr) -> SecretStr:
    # A key travels in an HTTP header, where blanks and letters beyond ASCII do not survive.
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError("keys of 1 to 512 visible ASCII characters, without spaces")
    return key


def _origin(origin: str) -> str:
    tidy = origin.strip().lower().rstrip("/")
    if tidy != "*" and not _ORIGIN.fullmatch(tidy):
        raise ValueError('origins such as "https://example.com:8443", or "*" for any')
    return tidy


def _allowed_host(name: str) -> str:
    tidy = name.strip().lower()
    if not _HOST_NAME.fullmatch(tidy):
        raise ValueError('host names without scheme or port, such as "voice.example.com", "*.example.com", "*" for any')
    return tidy


def _network(network: str) -> str:
    try:
        return str(ipaddress.ip_network(network.strip()))
    except ValueError:
        raise ValueError('addresses or networks, such as "127.0.0.1" or "10.0.0.0/8"') from None


def _absolute(path: Path) -> Path:
    if path == Path():  # what an empty text becomes: not a wish to keep models in the current folder
        raise ValueError("a path")
    return path.expanduser().absolute()


def _phrases(value: object) -> object:
    """A list, or the name of a file with a phrase on each line; nothing turns it off."""
    if not isinstance(value, str) or not value.strip():
        return value or ()
    if value.lstrip().startswith("["):
        return _from_json(value)
    return phrases_in(Path(value).expanduser())


def phrases_in(path: Path) -> tuple[str, ...]:
    """The phrases of a file: one on each line, UTF-8; empty lines and those that begin with # are none.

    Raises ValueError with what was expected.
    """
    try:
        with path.open("rb") as file:
            return tuple(phrase for _, phrase in numbered_phrases(file.read(MAX_PHRASES_BYTES + 1)))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ValueError(f'a list such as ["Good morning."], or a file with a phrase on each line ({reason})') from None


def numbered_phrases(content: bytes) -> list[tuple[int, str]]:
    """The phrases of a file with the numbers of their lines, from 1.

    Raises UnicodeDecodeError, or ValueError with what was expected.
    """
    if len(content) > MAX_PHRASES_BYTES:
        raise ValueError(f"a file of at most {MAX_PHRASES_BYTES >> 20} MiB")
    lines = enumerate(content.decode("utf-8-sig").splitlines(), 1)
    return [(number, text) for number, line in lines if (text := line.strip()) and not text.startswith("#")]


def _host(host: str) -> str:
    if not host or host != host.strip() or "/" in host:
        raise ValueError("a host name or address without scheme or port, such as 127.0.0.1 or 0.0.0.0")
    return host


class Settings(BaseModel):
    """Everything an operator can choose. Made by `load_settings`; frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: int = Field(8010, ge=0, le=65535)
    """0 takes any free port; the line printed at the start names it."""
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=default_data_dir)
    engines: Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_engine_order)] = ("piper",)
    stop_timeout_s: float = Field(8.0, ge=0, le=3600)
    """For replies that run when the server is told to stop."""
    sample_rate_hz: int = Field(24_000, ge=8_000, le=48_000)
    tts_max_parallel: int = Field(2, ge=1, le=64)
    opus_enabled: bool = False
    opus_bitrate: int = Field(32_000, ge=6_000, le=256_000)
    """Bits a second."""
    leave_room: Literal["auto", "always", "never"] = "auto"
    """When speech leaves this machine's cores to a language model."""
    primary_timeout_s: float = Field(3.0, ge=0.1, le=120)
    hedge: bool = True
    pace_check: bool = True
    early_clauses: bool = True
    voice_switch: Literal["once", "never"] = "once"
    recovery_interval_s: float = Field(30.0, ge=1, le=3600)
    cache_dir: Annotated[Path, AfterValidator(_absolute)] | None = None
    """None: `cache` in the data directory."""
    cache_max_entries: int = Field(10_000, ge=0, le=10_000_000)
    cache_max_bytes: int = Field(1 << 30, ge=0)
    cache_memory_bytes: int = Field(64 << 20, ge=0)
    cache_keep: Literal["all", "phrases"] = "all"
    cache_max_age_days: float | None = Field(None, gt=0, le=36_500)
    history: Literal["memory", "disk"] = "memory"
    history_max_age_days: float | None = Field(None, gt=0, le=36_500)
    history_max_bytes: int = Field(256 << 20, ge=1 << 20)
    """Of the file on disk."""
    prewarm_delay_s: float = Field(10.0, ge=0, le=86_400)
    prewarm_phrases: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...],
        BeforeValidator(_phrases),
        Field(max_length=1000),
    ] = BUTLER_PHRASES
    prewarm_frequent: int = Field(32, ge=0, le=1000)
    """Sentences said most often that are kept warm as well."""
    reconnect_grace_s: float = Field(15.0, ge=0, le=3600)
    api_keys: Annotated[tuple[Annotated[SecretStr, AfterValidator(_api_key)], ...], BeforeValidator(_as_list)] = ()
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_as_list)] = ()
    wyoming_port: int | None = Field(None, ge=0, le=65535)
    """Where Wyoming clients (Home Assistant) are served; None: nowhere."""
    wyoming_clients: (
        Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_as_list)] | None
    ) = None
    """Networks that may use that port. None: this machine only where keys are set, everybody where none are."""
    allowed_hosts: Annotated[tuple[Annotated[str, AfterValidator(_allowed_host)], ...], BeforeValidator(_as_list)] = ()
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_as_list)] = ()
    max_connections: int = Field(512, ge=1, le=100_000)
    max_connections_per_address: int = Field(128, ge=1, le=100_000)
    max_requests_per_s: float = Field(50, ge=1, le=100_000)
    """Of one address, on average; ten seconds' worth may come at once."""
    max_events_per_s: float = Field(1_000, ge=1, le=100_000)
    """Likewise, of Socket.IO; what comes faster is not read faster."""
    max_body_bytes: int = Field(1 << 20, ge=1 << 10, le=1 << 30)
    request_timeout_s: float = Field(30.0, ge=0.05, le=3600)
    """For a request to come whole, from connecting or its first byte."""
    send_timeout_s: float = Field(180.0, ge=0.05, le=3600)
    """How long a connection may be behind with what it was sent.

    Long, since programs that play as they read take nothing for up to 88 s, measured, while their own buffer lasts.
    What one that never reads costs meanwhile is 64 KiB and its place.
    """
    handshake_timeout_s: float = Field(10.0, ge=0.05, le=3600)
    """For a Socket.IO connection to join the default namespace."""
    max_message_chars: int = Field(20_000, ge=1, le=1_000_000)
    max_reply_chars: int = Field(100_000, ge=1, le=10_000_000)
    max_replies: int = Field(64, ge=1, le=10_000)
    max_replies_per_session: int = Field(8, ge=1, le=10_000)
    max_replies_per_caller: int = Field(32, ge=1, le=10_000)
    max_load: float = Field(0.95, ge=0, le=100)
    """Share of an engine's measured capacity; a reply that would take more is refused. 0: none is."""
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"
    log_text: bool = False
    """The text of each reply in the log, on purpose."""
    llm: LlmSettings = Field(default_factory=LlmSettings)

    engine_sections: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    """By section name, unchecked: each engine checks its own. Not a setting; hidden: it may hold keys."""

    @property
    def cache_folder(self) -> Path:
        """Where the disk tier keeps its clips."""
        return self.cache_dir or self.data_dir / "cache"

    def engine_section(self, name: str) -> Mapping[str, Any]:
        """The options written for the engine `name`; empty where there are none."""
        return self.engine_sections.get(section_name(name), {})

    def engine_digest(self, name: str) -> str:
        """Tells whether the section of the engine `name` has changed; no secret goes into it."""
        return section_digest(self.engine_section(name))


def section_name(engine: str) -> str:
    """`piper-http` is configured in `piper_http`: an environment variable's name cannot hold a hyphen."""
    return engine.replace("-", "_").lower()


def setting_names() -> list[str]:
    """Names at the top level that are not engines' sections."""
    return [name for name in Settings.model_fields if name != "engine_sections"]
