"""Log lines: an event's name and its fields, each line one event, for people and for programs."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unavoce
from unavoce.cli.log_lines import MAX_CHARS, MAX_TRACEBACK, HumanFormatter, JsonFormatter
from unavoce.cli.logs import log_to_stderr

FIELD = re.compile(r""" (\w+)=('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^ '"]+)""")


class Unprintable:
    """A value that cannot even be shown."""

    def __str__(self) -> str:
        raise ValueError("no")


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**5000, max_value=10**5001)
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=("Cs", "Cc", "Zl", "Zp")))
    | st.binary()
    | st.builds(Unprintable)
    | st.builds(ValueError, st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)
NAMES = st.sampled_from(["reason", "event", "time", "exception", "level", "logger", "after_s"])


def _record(**fields: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": "unavoce.x", "msg": "an_event", "levelname": "INFO", **fields})


def _human(**fields: object) -> str:
    return HumanFormatter().format(_record(**fields))


def _json(**fields: object) -> dict[str, Any]:
    line = JsonFormatter().format(_record(**fields))
    assert line.isascii()
    assert line.isprintable()
    parsed: dict[str, Any] = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    return parsed


def _raised(text: str) -> Any:
    try:
        raise ValueError(text)
    except ValueError:
        return sys.exc_info()


def test_fields_stand_behind_the_event() -> None:
    """`extra` is shown as name=value, quoted where it has blanks."""
    line = _human(code="model_unavailable", reason="not there", after_s=5)
    assert line.endswith("INFO unavoce.x an_event code=model_unavailable reason='not there' after_s=5")


@given(NAMES, ANY)
def test_whatever_a_field_holds_people_read_one_line(name: str, value: object) -> None:
    """A field cannot pose as a line or as another field: what was written is read back as that one field."""
    line = _human(**{name: value, "last": "end"})
    assert line.isprintable()
    fields = FIELD.findall(line.partition("an_event")[2])
    assert [one for one, _ in fields] == [name, "last"]
    shown = fields[0][1]
    if isinstance(value, str) and len(value) <= MAX_CHARS:
        read = ast.literal_eval(shown) if shown[0] in "'\"" else shown
        assert read == value.encode("utf-8", "replace").decode()


@given(NAMES, ANY)
def test_whatever_a_field_holds_programs_read_one_object(name: str, value: object) -> None:
    """Each line is one JSON object in ASCII; no field can take the place of its own keys, and numbers stay numbers."""
    line = _json(**{name: value})
    assert (line["event"], line["level"], line["logger"]) == ("an_event", "info", "unavoce.x")
    written = line[name if name in ("reason", "after_s") else f"{name}_"]
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        assert written == value


@given(st.text(), st.text())
def test_an_exception_breaks_no_line(message: str, error: str) -> None:
    """In JSON it is one field. People read it below its event, indented, without a control character; and an event's
    name that is a sentence of somebody else's stays on its line."""
    fields = {"msg": message, "exc_info": _raised(error)}
    assert "ValueError" in _json(**fields)["exception"]
    first, *rest = _human(**fields).split("\n")
    assert first.isprintable()
    assert rest
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


def test_no_line_is_endless() -> None:
    """A long field is cut; of a long traceback the end is kept."""
    fields = {"reason": "x" * 10**6, "exc_info": _raised("y" * 10**6)}
    assert len(_human(**fields)) < 2 * (MAX_CHARS + MAX_TRACEBACK)
    assert len(json.dumps(_json(**fields))) < 2 * (MAX_CHARS + MAX_TRACEBACK)
    assert _json(exc_info=_raised("y" * 10**6 + " the end"))["exception"].endswith("the end")


def test_arguments_that_do_not_fit_are_no_error() -> None:
    """A record of somebody else's whose arguments do not fit its text is written all the same."""
    assert "100%" in _human(msg="100% %d", args=("x",))
    assert _json(msg="100% %d", args=("x",))["event"] == "100% %d"


@contextmanager
def _begun(level: Any, *, terminal: bool = False) -> Iterator[io.StringIO]:
    """What stands on standard error; logging is set up as in a process that has just begun."""
    root, ours, stream = logging.getLogger(), logging.getLogger("unavoce"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(root, "handlers", [])
        patch.setattr(root, "level", root.level)
        patch.setattr(ours, "level", ours.level)
        patch.setattr(stream, "isatty", lambda: terminal)
        patch.setattr(sys, "stderr", stream)
        log_to_stderr(level)
        yield stream
        logging.captureWarnings(capture=False)
    root.manager._clear_cache()  # type: ignore[attr-defined]  # it remembers who is enabled for what


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_no_level_shows_what_others_log_beside_their_troubles(level: Any) -> None:
    """The web server writes whole frames at `debug`, with keys and messages in them; httpx writes URLs."""
    with _begun(level):
        for name in ("httpx", "httpcore", "uvicorn.error", "websockets.server", "asyncio"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
            assert logging.getLogger(name).isEnabledFor(logging.ERROR)
        assert logging.getLogger("unavoce.chat").isEnabledFor(getattr(logging, level.upper()))


def test_it_is_json_where_nobody_watches() -> None:
    """`auto` on a pipe or a file is JSON."""
    with _begun("info") as stderr:
        logging.getLogger("unavoce.x").info("an_event", extra={"after_s": 5})
    assert json.loads(stderr.getvalue())["after_s"] == 5


def test_it_is_for_people_on_a_terminal() -> None:
    """`auto` on a terminal is a line to be read."""
    with _begun("info", terminal=True) as stderr:
        logging.getLogger("unavoce.x").info("an_event", extra={"after_s": 5})
    assert stderr.getvalue().endswith("unavoce.x an_event after_s=5\n")


def test_every_event_of_the_code_has_a_name_and_fields() -> None:
    """No log call of this package writes its facts into a sentence."""
    calls = [
        (path.name, node)
        for path in Path(unavoce.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "log"
    ]
    assert len(calls) > 20
    for file, call in calls:
        assert isinstance(call.func, ast.Attribute)
        arguments = call.args[1:] if call.func.attr == "log" else call.args
        names = [one.value for one in arguments if isinstance(one, ast.Constant)]
        assert len(names) == len(arguments) == 1, f"{file}:{call.lineno}"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", names[0]), f"{file}:{call.lineno}"
