"""docs/protocol.md against the code: names, codes, numbers, and the examples, run as they stand."""

from __future__ import annotations

import ast
import asyncio
import re
import sys
from pathlib import Path

import soundfile
from tests.support.protocol import PAGE, codes_on_page, example, sent_by_client, sent_by_server
from tests.support.server import running_server

import unavoce
from unavoce.chain import chain
from unavoce.chat import log, outbox, sessions, speech_input, traces
from unavoce.chat.archive import records
from unavoce.narration import plan, trace
from unavoce.server.sockets import door, payloads
from unavoce.settings import Settings

CODE = Path(unavoce.__file__).parent
CLIENTS = {"cli", "remote", "agents"}
"""Rooms that have codes of their own for whoever calls them."""


def constants(*rooms: str) -> set[str]:
    """Every string in these rooms' code."""
    found = set()
    for path in [path for room in rooms for path in (CODE / room).rglob("*.py")]:
        tree = ast.parse(path.read_text())
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        found |= {node.value for node in nodes if isinstance(node.value, str)}
    return found


def first_arguments(*callees: str) -> set[str]:
    """The first argument, where it is a literal, of every call of these names in the code, but for that of clients."""
    found = set()
    for path in [path for path in CODE.rglob("*.py") if path.relative_to(CODE).parts[0] not in CLIENTS]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in callees and node.args:
                found |= _literals(node.args[0])
    return found


def _literals(value: ast.expr) -> set[str]:
    """What `value` can be: a literal, or one of two that a condition chooses."""
    if isinstance(value, ast.IfExp):
        return _literals(value.body) | _literals(value.orelse)
    return {value.value} if isinstance(value, ast.Constant) and isinstance(value.value, str) else set()


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_event_of_the_code_is_on_the_page_and_no_other() -> None:
    """The events that server/ and chat/ name are those the page describes, each in its direction."""
    events = {one for one in constants("server", "chat") if re.fullmatch(r"(chat|speak|engine):\w+", one)}
    assert first_arguments("_on") == set(sent_by_client())
    assert events - first_arguments("_on") == set(sent_by_server())


def test_every_code_of_the_code_is_on_the_page_and_no_other() -> None:
    """The codes that the code raises, refuses with or tells are those on the page."""
    used = first_arguments("RequestError", "ModelError", "Failure", "_refusal", "_fail", "fail", "refusal")
    listed = set().union(*codes_on_page().values())
    assert used == listed, f"not on the page: {used - listed}; not in the code: {listed - used}"


def test_the_numbers_on_the_page_are_the_codes() -> None:
    """Every limit that the page states is the constant or default of the code."""
    text = PAGE.read_text()
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    for stated in (
        f"{door.MAX_PACKET_BYTES:,} bytes",
        f"{defaults['max_message_chars']:,} characters (`UNAVOCE_MAX_MESSAGE_CHARS`)",
        f"{defaults['max_reply_chars']:,} characters (`UNAVOCE_MAX_REPLY_CHARS`)",
        f"{defaults['max_replies']} (`UNAVOCE_MAX_REPLIES`)",
        f"{defaults['max_replies_per_session']} of a session (`UNAVOCE_MAX_REPLIES_PER_SESSION`)",
        f"{defaults['max_replies_per_caller']} of a caller (`UNAVOCE_MAX_REPLIES_PER_CALLER`)",
        f"{defaults['handshake_timeout_s']:g} s (`UNAVOCE_HANDSHAKE_TIMEOUT_S`)",
        f"{defaults['reconnect_grace_s']:g} s (`UNAVOCE_RECONNECT_GRACE_S`)",
        f"{records.MESSAGES_KEPT:,}, the oldest go first",
        f"{sessions.MAX_SESSIONS:,}, the longest unused go first",
        f"{plan.SENT_AHEAD_S:g} s",
        f"{traces.MAX_TRACES:,} replies' traces, {traces.MAX_BYTES // 1024**2} MiB in all",
        f"the first {trace.MAX_SENTENCES:,}, each as below",
        f"the last {trace.MAX_ATTEMPTS}, each as below",
        f"{outbox.MAX_BYTES // 1024**2} MiB; over it, or when it takes nothing for {outbox.STUCK_S:g} s",
        f"newest {log.MAX_BYTES // 1024**2} MiB of each reply",
        f"{chain.MIN_SPEED} to {chain.MAX_SPEED}",
        f"within {door.PING_INTERVAL_S + door.PING_TIMEOUT_S} s where it just falls silent",
        f"for {speech_input.IDLE_S:g} s; what was received is spoken",
    ):
        assert stated in text, stated
    for field in (payloads.Id.__metadata__[0], payloads.Send.model_fields["voice"].annotation):
        assert str(getattr(field, "max_length", None) or 200) + " characters" in text


def test_every_field_of_the_payloads_is_on_the_page() -> None:
    """The fields that the server reads of each event are those the page lists, the optional ones marked."""
    kinds = (
        ("chat:send", payloads.Send),
        ("chat:abort", payloads.Abort),
        ("chat:join", payloads.Join),
        ("chat:played", payloads.Played),
        ("chat:history", payloads.History),
        ("chat:forget", payloads.Forget),
        ("speak:start", payloads.SpeakStart),
        ("speak:text", payloads.SpeakText),
        ("speak:end", payloads.SpeakEnd),
    )
    assert {name for name, _ in kinds} == set(sent_by_client())
    for name, kind in kinds:
        read = {field.alias: not field.is_required() for field in kind.model_fields.values()}
        assert read == {one: field.optional for one, field in sent_by_client()[name].tables["field"].items()}, name


async def test_the_python_example_runs_as_it_stands(data_dir: Path, tmp_path: Path) -> None:
    """The page's Python client, but for the address, prints the answer and leaves its sound as WAV files."""
    source = example("python")
    assert len(source.strip().split("\n")) <= 20
    async with running_server(data_dir) as server:
        script = tmp_path / "example.py"
        script.write_text(source.replace("http://127.0.0.1:8010", server.url))
        process = await asyncio.create_subprocess_exec(
            sys.executable, script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
        assert process.returncode == 0
        assert output.decode() == "Very good, sir."
        assert sum(soundfile.info(path).frames for path in tmp_path.glob("chunk-*.wav")) > 0
