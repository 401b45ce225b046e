"""The files of the page as they are: whole, within their weight, and nothing that the policy forbids."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.support.node import program

from unavoce.web import files, modules
from unavoce.web.site import INDEX, Site

CONTENTS = files.read()
OWN = sorted(name for name in CONTENTS if files.OWN_SCRIPT.fullmatch(name))
PLAYER = "player/unavoce-player.js"
FIRST_LOAD_BYTES, PLAYER_BYTES = 120_000, 15_000
"""Compressed, as they are sent."""


def weight(names: Iterable[str]) -> int:
    prepared = [files.prepared(name, CONTENTS[name]) for name in names]
    return sum(len(file.gzipped or file.content) for file in prepared)


def with_imports(name: str) -> list[str]:
    return modules.loaded("start", {**CONTENTS, "start": f'"assets/{name}"'.encode()})


def test_nothing_that_is_imported_is_missing() -> None:
    """Every file that the front page names and every module that a module imports is served."""
    named = {name: modules.named(CONTENTS[INDEX]) for name in [INDEX]}
    named |= {name: modules.imports(name, CONTENTS[name]) for name in OWN}
    for name, wanted in named.items():
        assert set(wanted) <= set(CONTENTS), name
    assert not Site(CONTENTS).missing


def test_the_first_load_is_light() -> None:
    """The front page and all that it loads at once weigh less than 120 KB, as they are sent."""
    assert weight([INDEX, *modules.loaded(INDEX, CONTENTS)]) < FIRST_LOAD_BYTES


def test_the_player_is_light_and_needs_nobody() -> None:
    """All modules of the player together weigh less than 15 KB as they are sent, and import no other part."""
    parts = with_imports(PLAYER)
    assert {name.partition("/")[0] for name in parts} == {"player"}
    assert weight(parts) < PLAYER_BYTES


def test_served_without_comments_the_scripts_are_the_same(tmp_path: Path) -> None:
    """TypeScript, told to leave out comments, makes the same of what is served as of the source; no line has moved."""
    for name in OWN:
        source = (files.FOLDER / name).read_bytes()
        assert CONTENTS[name].count(b"\n") == source.count(b"\n")
        for kind, script in (("source", source), ("served", CONTENTS[name])):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / name).write_bytes(script)
    assert compiled(tmp_path, "served") == compiled(tmp_path, "source")


def compiled(folder: Path, kind: str) -> dict[str, str]:
    options = [
        "--ignoreConfig",
        "--allowJs",
        "--noCheck",
        "--noResolve",
        "--removeComments",
        "--target",
        "es2022",
        "--module",
        "esnext",
    ]
    into = folder / f"{kind}-compiled"
    scripts = [str(folder / kind / name) for name in OWN]
    subprocess.run(
        [*program("tsc"), *options, "--rootDir", str(folder / kind), "--outDir", str(into), *scripts], check=True
    )
    return {name: (into / name).read_text() for name in OWN}


@pytest.mark.parametrize(
    ("script", "served"),
    [
        (b"/** What\n * it is. */\nlet a;\n", b"\n\nlet a;\n"),
        (b"  // why\n  let a; // beside\n", b"\n  let a; // beside\n"),
        (b"/** @type {A} */ (b).c();\n/* d */\n", b"/** @type {A} */ (b).c();\n\n"),
        (b'let a = "//";\nlet b = a\n  / 2;\n', b'let a = "//";\nlet b = a\n  / 2;\n'),
    ],
)
def test_a_comment_with_lines_of_its_own_is_left_out(script: bytes, served: bytes) -> None:
    """Its lines stay as empty ones; a comment beside code stays as it is."""
    assert files.without_comments(script) == served


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_front_page_has_nothing_that_the_policy_forbids() -> None:
    """No code or style in the page itself, and no address but its own."""
    parser = _Tags()
    parser.feed(CONTENTS[INDEX].decode())
    for tag, attributes in parser.tags:
        assert tag not in {"style", "base", "iframe", "object", "embed"}
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc"}]
        addresses = [attributes[name] or "" for name in ("src", "href") if name in attributes]
        assert all(address.startswith(("assets/", "#")) for address in addresses)
        assert tag != "script" or "src" in attributes


def test_no_file_asks_for_anything_outside() -> None:
    """No style or script of ours loads from another host."""
    for name in [*OWN, *(name for name in CONTENTS if name.endswith(".css"))]:
        text = CONTENTS[name].decode()
        assert not re.search(
            r"url\(\s*[\"']?(https?:|//|data:)|@import|fetch\(\s*[\"'`]https?:|from \"https?:", text
        ), name
