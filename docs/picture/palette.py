"""A small PNG of a picture with few colours, such as one of a page."""

from __future__ import annotations

import io
import struct
import zlib

import av
import numpy as np
from numpy.typing import NDArray

COLOURS = 256


def small_png(png: bytes) -> bytes:
    """The picture with a palette: its most frequent colours, and for each other one the nearest of them."""
    with av.open(io.BytesIO(png)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
    colours, places, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(counts)[::-1][:COLOURS]]
    distances = ((colours[:, None].astype(np.int32) - kept[None].astype(np.int32)) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1).astype(np.uint8)
    return _png(nearest[places].reshape(pixels.shape[:2]), kept)


def _png(indexed: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    height, width = indexed.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = np.hstack([np.zeros((height, 1), np.uint8), indexed]).tobytes()
    parts = [(b"IHDR", header), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, data) for name, data in parts)


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
