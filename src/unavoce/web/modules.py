"""What the front page loads at once: the files that it names, and the modules that those import.

A browser learns of an import only when the module that holds it has come: eight levels deep, that is eight journeys.
The front page therefore names all modules in `modulepreload` links, so that they come together.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_REFERENCE = re.compile(rb'"assets/([^"]+)"')
_IMPORT = re.compile(rb'^(?:import|export)\b(?:[^"\';]*?\bfrom)?\s*"(\.{1,2}/[^"]+)"', re.MULTILINE)
"""A static import by a relative path, laid out as `make format` does. What a call imports is not loaded at once."""


def named(html: bytes) -> list[str]:
    """The files that a page names, as `assets/…`."""
    return [match.decode() for match in _REFERENCE.findall(html)]


def imports(name: str, script: bytes) -> list[str]:
    """The modules that the module of this name imports, by their names."""
    folder = posixpath.dirname(name)
    return [posixpath.normpath(f"{folder}/{match.decode()}") for match in _IMPORT.findall(script)]


def loaded(index: str, contents: Mapping[str, bytes]) -> list[str]:
    """All that the page loads at once, each file once, nearest first, whether it is there or not."""
    found = named(contents[index])
    for name in found:  # grows while it is walked
        script = contents.get(name, b"") if name.endswith(".js") else b""
        found += [one for one in dict.fromkeys(imports(name, script)) if one not in found]
    return found
