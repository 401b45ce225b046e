"""What others measured of six replies in the same shapes, with the same Piper voice, on an otherwise idle machine.

RealtimeTTS 0.8.10, LiveKit Agents 1.8.9 and Pipecat 1.14.0, and beside them a plain loop, which is here as well: by it
the two machines can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import geometric_mean

AT_ONCE_S: Mapping[str, Mapping[str, float]] = {
    "RealtimeTTS": {
        **{"short": 0.16, "three sentences": 0.15, "eight": 0.22},
        **{"abbreviations and list": 0.09, "twenty": 0.30, "very long first sentence": 0.23},
    },
    "LiveKit Agents": {
        **{"short": 0.16, "three sentences": 0.16, "eight": 0.21},
        **{"abbreviations and list": 0.06, "twenty": 0.26, "very long first sentence": 1.14},
    },
    "Pipecat": {
        **{"short": 0.17, "three sentences": 0.16, "eight": 0.20},
        **{"abbreviations and list": 0.07, "twenty": 0.26, "very long first sentence": 1.18},
    },
}
"""First sound from the first token, all tokens at once."""
LOOP_AT_ONCE_S: Mapping[str, float] = {
    **{"short": 0.17, "three sentences": 0.14, "eight": 0.20, "twenty": 0.23, "very long first sentence": 1.11},
}
"""The plain loop's; of the list it says "Dr." alone, which is no first sentence."""


def best_s() -> float:
    """The geometric mean over the replies of the peer for which it is lowest."""
    return min(geometric_mean(peer.values()) for peer in AT_ONCE_S.values())


def slower(loop_s: Mapping[str, float]) -> float:
    """How many times as long this machine takes as theirs, by the plain loop's first sounds here."""
    return geometric_mean(loop_s[reply] / theirs_s for reply, theirs_s in LOOP_AT_ONCE_S.items())
