"""compose.yaml as the real `docker-compose` reads it, without a daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from tests.support.dockerfile import ROOT, image

from unavoce.engines.registry import GROUP
from unavoce.settings import Settings, load_settings

LIMIT_S = 60
COMPOSE = Path(sys.executable).with_name("docker-compose")
KEY = {"UNAVOCE_API_KEYS": "one-key"}
EVERYTHING = ("--profile", "xtts")
pytestmark = pytest.mark.skipif(not COMPOSE.exists(), reason="docker-compose has no wheel for this machine")


def asked(tmp_path: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`docker-compose config`, with these variables and no others; `.env` is looked for in the test's folder."""
    return subprocess.run(
        [COMPOSE, "-f", ROOT / "compose.yaml", "--project-directory", tmp_path, *options, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def services(tmp_path: Path, *options: str, **environ: str) -> dict[str, dict[str, Any]]:
    done = asked(tmp_path, *options, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["services"]
    return found


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    """Also where the file with the settings was copied and not filled in."""
    (tmp_path / ".env").write_bytes((ROOT / "deploy" / "example.env").read_bytes())
    done = asked(tmp_path)
    assert done.returncode != 0
    assert "UNAVOCE_API_KEYS" in done.stderr
    assert "set it in .env" in done.stderr


def test_a_small_machine_gets_the_server_and_piper(tmp_path: Path) -> None:
    """By default there is no XTTS, and two cores are enough."""
    found = services(tmp_path, **KEY)
    assert {name: each["cpuset"] for name, each in found.items()} == {"unavoce": "0", "piper": "1"}
    assert found["unavoce"]["environment"]["UNAVOCE_ENGINES"] == "piper-http"


def test_xtts_comes_with_its_profile(tmp_path: Path) -> None:
    """On cores of its own: no two of the three share one."""
    found = services(tmp_path, *EVERYTHING, **KEY)
    assert {name: each["cpuset"] for name, each in found.items()} == {"unavoce": "0", "piper": "1", "xtts": "2-3"}


def test_one_core_is_enough_where_nothing_is_pinned(tmp_path: Path) -> None:
    """An empty list of cores pins nothing."""
    found = services(tmp_path, *EVERYTHING, **KEY, SERVER_CPUS="", FALLBACK_CPUS="", VOICE_CPUS="")
    assert not any(each.get("cpuset") for each in found.values())


def test_every_container_is_confined(tmp_path: Path) -> None:
    """No rights, nothing writable but volumes and /tmp, bounds on memory, processes and logs."""
    found = services(tmp_path, *EVERYTHING, **KEY)
    assert set(found) == {"unavoce", "piper", "xtts"}
    for each in found.values():
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]
        assert int(each["mem_limit"]) > 0
        assert each["pids_limit"] > 0
        assert each["restart"] == "unless-stopped"
        assert {"max-size", "max-file"} <= set(each["logging"]["options"])


def test_only_the_server_is_reached_from_outside(tmp_path: Path) -> None:
    """On this machine's own address until somebody opens it, and Piper cannot reach out either."""
    found = services(tmp_path, *EVERYTHING, **KEY)
    assert [name for name, each in found.items() if "ports" in each] == ["unavoce"]
    (port,) = found["unavoce"]["ports"]
    assert (port["host_ip"], port["published"]) == ("127.0.0.1", "8010")
    assert set(found["piper"]["networks"]) == {"speech"}
    assert json.loads(asked(tmp_path, **KEY).stdout)["networks"]["speech"]["internal"] is True


def settings_of(found: dict[str, dict[str, Any]]) -> Settings:
    return load_settings(environ=found["unavoce"]["environment"])


@pytest.mark.parametrize("engines", ["piper-http", "xtts,piper-http"])
def test_the_settings_are_ones_that_the_server_takes(tmp_path: Path, engines: str) -> None:
    """The server and the engines that are named accept what they are given."""
    settings = settings_of(services(tmp_path, *EVERYTHING, **KEY, UNAVOCE_ENGINES=engines))
    assert settings.engines == tuple(engines.split(","))
    for name in settings.engines:
        (entry,) = entry_points(group=GROUP, name=name)
        entry.load().Options.model_validate(dict(settings.engine_section(name)))


def test_the_engines_are_pointed_at_the_servers_beside_it(tmp_path: Path) -> None:
    """By the names and ports of those containers."""
    found = services(tmp_path, *EVERYTHING, **KEY)
    settings = settings_of(found)
    for name, service in (("piper-http", "piper"), ("xtts", "xtts")):
        command = image(ROOT / "deploy" / service / "Dockerfile").command
        port = command[command.index("--port") + 1]
        assert settings.engine_section(name)["url"] == f"http://{service}:{port}"


def test_replies_may_end_before_the_container_is_killed(tmp_path: Path) -> None:
    """Compose waits longer than the server takes: what replies are given, and some seconds."""
    found = services(tmp_path, **KEY)
    assert found["unavoce"]["stop_grace_period"] == "1m0s"
    assert settings_of(found).stop_timeout_s + 10 <= 60


def test_any_setting_may_stand_in_the_file(tmp_path: Path) -> None:
    """What is in `.env` reaches the server; where it is found and what it keeps stay as the container needs them."""
    (tmp_path / ".env").write_text("UNAVOCE_API_KEYS=k\nUNAVOCE_OPUS_ENABLED=true\nUNAVOCE_HOST=127.0.0.1\n")
    settings = settings_of(services(tmp_path))
    assert settings.opus_enabled
    assert settings.host == "0.0.0.0"
    assert (str(settings.data_dir), str(settings.cache_folder)) == ("/data", "/data/cache")


def test_home_assistants_door_is_a_file_more(tmp_path: Path) -> None:
    """Its port is published and its clients must be named, since it asks for no key."""
    file = ("-f", str(ROOT / "deploy" / "compose.wyoming.yaml"))
    refused = asked(tmp_path, *file, **KEY)
    assert refused.returncode != 0
    assert "UNAVOCE_WYOMING_CLIENTS" in refused.stderr
    found = services(tmp_path, *file, **KEY, UNAVOCE_WYOMING_CLIENTS="192.168.1.20")
    assert [port["target"] for port in found["unavoce"]["ports"]] == [8010, settings_of(found).wyoming_port]


def test_a_gpu_is_a_file_more(tmp_path: Path) -> None:
    """It gives XTTS a device and tells it to use it; nothing else changes."""
    plain = services(tmp_path, *EVERYTHING, **KEY)
    found = services(tmp_path, "-f", str(ROOT / "deploy" / "compose.gpu.yaml"), *EVERYTHING, **KEY)
    assert found["xtts"]["command"][-2:] == ["--device", "cuda"]
    assert found["xtts"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert {**found, "xtts": None} == {**plain, "xtts": None}
