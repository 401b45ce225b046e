"""The machine a run was made on, and how busy others kept it meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("unavoce", "piper-tts", "diskcache", "onnxruntime", "xllamacpp", "python-socketio", "numpy", "soxr", "av")


def describe() -> dict[str, Any]:
    """Date, cores, versions: what a figure means nothing without."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


@dataclass(slots=True)
class Busy:
    """How busy other programs kept the cores during a part; None where the system does not say."""

    others_cores: float | None = None
    load_1min: float | None = None


@contextmanager
def watched() -> Iterator[Busy]:
    """Measures the body's run: cores kept busy by anything but this process and its children that have ended."""
    busy = Busy()
    before = _busy_s(), _own_s(), time.monotonic()
    try:
        yield busy
    finally:
        after = _busy_s(), _own_s(), time.monotonic()
        busy.load_1min = round(os.getloadavg()[0], 2)
        if before[0] is not None and after[0] is not None:
            others_s = (after[0] - before[0]) - (after[1] - before[1])
            busy.others_cores = round(max(0.0, others_s / (after[2] - before[2])), 2)


def memory_mb(pid: int) -> Mapping[str, float] | None:
    """Resident and proportional memory of a process and all its descendants, MB; None off Linux.

    Pages that the processes share count once for each in `resident`, once in all in `proportional`.
    """
    try:
        family = [_memory_kb(one) for one in _family(pid)]
    except OSError:
        return None
    return {
        "processes": len(family),
        "resident": round(sum(rss for rss, _ in family) / 1000, 1),
        "proportional": round(sum(pss for _, pss in family) / 1000, 1),
    }


def cpu_s(pid: int) -> float | None:
    """CPU seconds a process has used by itself, all its threads; None off Linux."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime: proc_pid_stat(5)


def _memory_kb(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    fields = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return int(fields["Rss"].split()[0]), int(fields["Pss"].split()[0])


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for path in children for child in path.read_text().split()]
    return [pid, *(one for child in found for one in _family(child))]


def _busy_s() -> float | None:
    """CPU seconds that all programs have used since the machine started."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
