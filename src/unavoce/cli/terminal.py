"""Text that is safe to show: a terminal would obey the control characters in it."""

from __future__ import annotations

_REPLACED = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000))
    if chr(code) not in "\n\t"
}


def visible(text: str) -> str:
    """`text` with each control character and lone surrogate replaced by one other, so that places in it hold."""
    return text.translate(_REPLACED)
