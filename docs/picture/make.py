"""Makes docs/picture/session.svg from a real session: `make picture`.

Starts the server as people do, talks to it with `unavoce chat`, asks `unavoce doctor`, and draws what they printed.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
UNAVOCE = Path(sys.executable).with_name("unavoce")
QUESTIONS = ("Good evening. Who are you?", "Please tell me about tea.")
PORT = "8127"
WIDTH = 100


def main() -> None:
    with tempfile.TemporaryDirectory() as data_dir:
        environment = {"UNAVOCE_DATA_DIR": data_dir, "UNAVOCE_PORT": PORT, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        began = time.monotonic()
        with subprocess.Popen([UNAVOCE, "serve"], env=environment, stdout=subprocess.PIPE, text=True) as server:
            ready = server.stdout.readline().strip() if server.stdout else ""
            ready_s = time.monotonic() - began
            answers = [_said(environment, question) for question in QUESTIONS]
            server.terminate()
        doctor = _run(environment, "doctor").replace(data_dir, "~/.local/share/unavoce")
    _draw(ready.replace(PORT, "8010"), ready_s, answers, doctor.replace(PORT, "8010"))


def _said(environment: dict[str, str], question: str) -> str:
    url = f"http://127.0.0.1:{PORT}"
    return _run(environment, "chat", "--url", url, text=question + "\n")


def _run(environment: dict[str, str], *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [UNAVOCE, *arguments], env=environment, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout.strip()


def _draw(ready: str, ready_s: float, answers: list[str], doctor: str) -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print("[bold green]$[/] make serve")
    console.print(Text(ready), Text(f"   # {ready_s:.1f} s after the start", style="dim"))
    console.print()
    console.print("[bold green]$[/] unavoce chat")
    for question, answer in zip(QUESTIONS, answers, strict=True):
        console.print(Text("› ", style="bold cyan") + Text(question))  # noqa: RUF001 - the prompt as it is
        console.print(Text(answer))
    console.print()
    console.print("[bold green]$[/] unavoce doctor")
    for line in doctor.splitlines():
        # How this machine's Python is called and where it lies is nobody's business.
        console.print(Text(line.split(" at /")[0]))
    svg = console.export_svg(title="unavoce")
    # The fonts of the reader's own machine: a picture asks nobody for anything.
    picture = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (HERE / "session.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
