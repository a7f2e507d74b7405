"""Small pictures as files."""

import struct
import zlib


def png(red: int = 255) -> bytes:
    """A whole PNG of one pixel: https://www.w3.org/TR/png-3/#5DataRep."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes((0, red, 0, 0)))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""One transparent pixel."""
JPEG_HEAD = bytes.fromhex("ffd8ffe000104a46494600010101004800480000")
WEBP_HEAD = b"RIFF\x24\x00\x00\x00WEBPVP8 "
