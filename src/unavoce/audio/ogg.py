"""Opus packets in an Ogg file (RFC 3533, RFC 7845). Ours, since no muxer within reach takes packets that were encoded
elsewhere together with a pre-skip and a last granule position of one's own: what pieces need to meet without a seam."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

PACKET = 960
"""Samples of a packet at 48 kHz: 20 ms."""
_PACKETS_A_PAGE = 50
"""A second of sound, as other muxers have it."""
_VENDOR = b"unavoce"
_BEGIN, _END = 2, 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_opus(packets: Sequence[bytes], *, pre_skip: int, samples: int, rate_hz: int) -> bytes:
    """A mono Ogg Opus file of packets of 20 ms (at least one), of which a decoder leaves out the first `pre_skip`
    samples, and then gives `samples` of them; both at 48 kHz. `rate_hz`: of the sound before it was encoded.

    Pre-skip and samples must end within the last packet.
    """
    serial = zlib.crc32(b"".join(packets))
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, pre_skip, rate_hz, 0, 0)
    tags = struct.pack("<8sI", b"OpusTags", len(_VENDOR)) + _VENDOR + bytes(4)
    pages = [_page([head], 0, 0, serial, _BEGIN), _page([tags], 0, 1, serial)]
    for start in range(0, len(packets), _PACKETS_A_PAGE):
        of_page = packets[start : start + _PACKETS_A_PAGE]
        until = start + len(of_page)
        ends = until == len(packets)
        position = pre_skip + samples if ends else until * PACKET
        pages.append(_page(of_page, position, len(pages), serial, _END if ends else 0))
    return b"".join(pages)


def _page(packets: Sequence[bytes], position: int, number: int, serial: int, flags: int = 0) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    fields = struct.pack("<4sBBqII", b"OggS", 0, flags, position, serial, number)
    rest = bytes([len(lacing)]) + lacing + b"".join(packets)
    checksum = _checksum((fields, bytes(4), rest))
    return fields + struct.pack("<I", checksum) + rest


def _checksum(parts: Iterable[bytes]) -> int:
    """Ogg's CRC-32: zlib's polynomial, with each byte's and the result's bits in the other order, and nothing
    inverted. zlib's is a hundred times faster than a loop here would be."""
    turned = zlib.crc32(b"".join(parts).translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(turned.to_bytes(4, "little").translate(_REVERSED), "big")
