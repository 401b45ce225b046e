"""docs/operating.md, the dashboard and the alert rules against what a running server answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.test_metrics import scrape, spoken
from tests.support.client import listening

from unavoce.chat import traces
from unavoce.cli.log_lines import MAX_CHARS, MAX_TRACEBACK
from unavoce.narration.plan import SENT_AHEAD_S
from unavoce.narration.playback import GAP_S
from unavoce.narration.trace import MAX_SENTENCES
from unavoce.server.cache_figures import LIMIT_S
from unavoce.server.stopping import FAREWELL_S
from unavoce.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (histogram|counter|gauge) \|([\w, ]*)\| .+ \|$", re.MULTILINE)
OF_PROMETHEUS = {"up": {"job", "instance"}}
SCRAPED_LABELS = {"job", "instance"}
"""What Prometheus adds to whatever it scrapes."""
METRIC = re.compile(r"\b(?:unavoce|process|python)_\w+|\bup\b")
LABELS = re.compile(r"(?:\b(?:by|ignoring|on)\s*\(([^)]*)\))|\{([^}]*)\}")


@pytest.fixture
async def answered(data_dir: Path) -> dict[str, tuple[str, set[str]]]:
    """Every metric of a server that has done something: its type and labels, by the name that queries use."""
    async with spoken(data_dir) as server, listening(server.url) as listener:
        await listener.refused("chat:send", {"message": " "})
        text = (await scrape(server)).text
    found = {}
    for family in text_string_to_metric_families(text):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[f"{family.name}_total" if family.type == "counter" else family.name] = (family.type, labels)
    return found


def test_every_metric_is_on_the_page_and_no_other(answered: dict[str, tuple[str, set[str]]]) -> None:
    """Names, types and labels of the table are those of an answer; the process's own are named below it."""
    ours = {name: told for name, told in answered.items() if name.startswith("unavoce_")}
    told = {row[0]: (row[1], set(row[2].replace(" ", "").split(",")) - {""}) for row in ROW.findall(PAGE)}
    assert told == ours
    for name in answered.keys() - ours.keys():
        assert f"`{name}`" in PAGE


def test_the_numbers_on_the_page_are_the_codes() -> None:
    """Every limit that the page states is the constant or default of the code."""
    for stated in (
        f"silences under {GAP_S * 1000:g} ms",
        f"the first {MAX_SENTENCES:,} of a reply",
        f"takes up to {LIMIT_S:g} s",
        f"`UNAVOCE_STOP_TIMEOUT_S` ({Settings().stop_timeout_s:g} s",
        f"at least {FAREWELL_S:g} s is left",
        f"at most {SENT_AHEAD_S:g} s ahead",
        f"last {traces.MAX_TRACES:,} replies",
        f"{MAX_CHARS:,} characters is cut",
        f"at most {MAX_TRACEBACK:,}",
    ):
        assert stated in re.sub(r"\s+", " ", PAGE), stated


def test_the_example_of_a_line_has_the_fields_of_one() -> None:
    """`reply_done` on the page is JSON with the fields that tests/unit/chat/test_endings.py sees."""
    line = json.loads(re.findall(r"```json\n(.+)\n```", PAGE)[0])
    assert line["event"] == "reply_done"
    assert {"reply", "door", "end", "engines", "first_sound_ms", "from_memory", "underruns"} <= set(line)


def _queries_of_the_dashboard() -> Iterator[tuple[str, str]]:
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _samples(answered: dict[str, tuple[str, set[str]]]) -> dict[str, set[str]]:
    """The labels of every name that a query may use."""
    names = {name: labels | SCRAPED_LABELS for name, (_, labels) in answered.items()} | OF_PROMETHEUS
    for name, (kind, labels) in answered.items():
        if kind == "histogram":
            del names[name]
            names |= {f"{name}_{one}": labels | SCRAPED_LABELS | {"le"} for one in ("bucket", "sum", "count")}
    return names


def _check(query: str, known: dict[str, set[str]]) -> set[str]:
    """Every name in the query is known, and every label belongs to one of its metrics; the names."""
    outside = LABELS.sub("", re.sub(r'"[^"]*"', '""', query))
    names = set(METRIC.findall(outside))
    assert names, query
    assert names <= set(known), names - set(known)
    labels = {label for name in names for label in known[name]}
    used = {
        word for by, within in LABELS.findall(re.sub(r'"[^"]*"', "", query)) for word in re.findall(r"\w+", by + within)
    }
    assert used <= labels, f"{used - labels} in {query}"
    for opening, closing in ("()", "{}", "[]"):
        assert query.count(opening) == query.count(closing), query
    return names


def _metrics_of(names: Iterable[str]) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def test_every_query_of_the_dashboard_names_what_exists(answered: dict[str, tuple[str, set[str]]]) -> None:
    """Metrics and labels are those of an answer, and every metric of ours is shown."""
    known = _samples(answered)
    shown: set[str] = set()
    for _, query in _queries_of_the_dashboard():
        shown |= _check(query, known)
    assert {name for name in answered if name.startswith("unavoce_")} <= _metrics_of(shown)


def test_every_alert_names_what_exists(answered: dict[str, tuple[str, set[str]]]) -> None:
    """Metrics and labels are those of an answer; each alert says how bad it is, what it is and what helps."""
    known, alerts = _samples(answered), _alerts()
    assert len({alert["alert"] for alert in alerts}) == len(alerts) > 5
    for alert in alerts:
        _check(alert["expr"], known)
        assert alert["labels"]["severity"] in ("critical", "warning", "info")
        assert set(alert["annotations"]) == {"summary", "description"}
    assert re.search(r"e\.g\. (\w+)", PAGE).group(1) in {alert["alert"] for alert in alerts}  # type: ignore[union-attr]
