"""Opus packets in an Ogg file (RFC 3533, RFC 7845). Ours, since no muxer within reach takes packets that were encoded
elsewhere together with a pre-skip and a last granule position of one's own: what pieces need to meet without a seam."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

PACKET = 960
"""Samples of a packet at 48 kHz: 20 ms."""
MOST_JOINED = 6
"""Packets of 20 ms in one: 120 ms are the longest there is."""
_PACKETS_A_PAGE = 50
"""A second of sound, as other muxers have it."""
_VENDOR = b"unavoce"
_BEGIN, _END = 2, 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_opus(packets: Sequence[bytes], *, pre_skip: int, samples: int, rate_hz: int) -> bytes:
    """A mono Ogg Opus file of packets of 20 ms, of which a decoder leaves out the first `pre_skip` samples, and then
    gives `samples` of them (at least one); both at 48 kHz. `rate_hz`: of the sound before it was encoded.

    Pre-skip and samples must end within the last packet; pre-skip within the first MOST_JOINED, which must be `alike`:
    Firefox 153 trims no end where a packet was skipped as a whole, so all packets up to the first that is heard become
    one.
    """
    joined = pre_skip // PACKET + 1
    packets = [_joined(packets[:joined]), *packets[joined:]]
    serial = zlib.crc32(b"".join(packets))
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, pre_skip, rate_hz, 0, 0)
    tags = struct.pack("<8sI", b"OpusTags", len(_VENDOR)) + _VENDOR + bytes(4)
    pages = [_page([head], 0, 0, serial, _BEGIN), _page([tags], 0, 1, serial)]
    for start in range(0, len(packets), _PACKETS_A_PAGE):
        of_page = packets[start : start + _PACKETS_A_PAGE]
        until = start + len(of_page)
        ends = until == len(packets)
        position = pre_skip + samples if ends else (until - 1 + joined) * PACKET
        pages.append(_page(of_page, position, len(pages), serial, _END if ends else 0))
    return b"".join(pages)


def alike(packet: bytes, other: bytes) -> bool:
    """Whether two packets of one frame each can be joined: mode, bandwidth and length are the same."""
    return packet[0] == other[0] and packet[0] & 3 == 0


def _joined(packets: Sequence[bytes]) -> bytes:
    """Packets of one frame each as one of several frames of different sizes (RFC 6716, section 3.2.5)."""
    if len(packets) == 1:
        return packets[0]
    frames = [packet[1:] for packet in packets]
    lengths = b"".join(_length(len(frame)) for frame in frames[:-1])
    return bytes([packets[0][0] | 3, 0x80 | len(frames)]) + lengths + b"".join(frames)


def _length(size: int) -> bytes:
    return bytes([size]) if size < 252 else bytes([252 + (size & 3), (size - 252 - (size & 3)) >> 2])


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
