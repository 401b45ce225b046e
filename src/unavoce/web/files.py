"""The page's files as they are sent: read once, without their comments, compressed once, known by their digest."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).parent
PARTS = "page", "player", "vendor"
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served at all, by the end of the name."""
OWN_SCRIPT = re.compile(r"(page|player)/.+\.js")

_COMMENT = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)$", re.MULTILINE | re.DOTALL)
"""A comment that has its lines to itself."""


@dataclass(frozen=True, slots=True)
class File:
    """One file, ready to be sent."""

    content: bytes
    gzipped: bytes
    """Empty where it would not be smaller."""
    content_type: str
    etag: str
    """Weak, since both forms share it (RFC 9110, 8.8.3)."""


def read(folder: Path = FOLDER) -> dict[str, bytes]:
    """Every file that is served, by its name below `folder` (`page/main.js`)."""
    paths = [path for part in PARTS for path in (folder / part).rglob("*")]
    served = [path for path in paths if path.suffix in CONTENT_TYPES and path.is_file()]
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(served)}
    return {name: without_comments(text) if OWN_SCRIPT.fullmatch(name) else text for name, text in found.items()}


def without_comments(script: bytes) -> bytes:
    """What a browser needs of a script of ours, every line at its number; types and reasons are a third of its weight.

    It goes by lines alone: a comment beside code stays, and so does nothing that looks like one inside a string of
    several lines. That we have no such string is held by a test.
    """
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), script)


def digest(contents: Mapping[str, bytes]) -> str:
    """16 hexadecimal digits that change with any name and any byte."""
    whole = hashlib.sha256()
    for name, content in sorted(contents.items()):
        whole.update(f"{name}\n{len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


def prepared(name: str, content: bytes) -> File:
    """The file of this name, compressed as far as gzip goes."""
    gzipped = gzip.compress(content, mtime=0)
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    kind = CONTENT_TYPES[PurePosixPath(name).suffix]
    return File(content, gzipped if len(gzipped) < len(content) else b"", kind, etag)
