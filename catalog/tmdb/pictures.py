"""What bytes from a stranger are: JPEG, PNG or WebP of a sane size, or nothing that we serve."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAX_SIDE = 4096
# Start-of-frame markers of JPEG (ITU-T T.81, table B.1): all but DHT, JPG and DAC.
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class NotAPictureError(ValueError):
    """The bytes are no picture that we would serve; the message says why."""


@dataclass(frozen=True)
class Picture:
    """A checked picture; sides in pixels."""

    media_type: str
    width: int
    height: int


def read_picture(data: bytes) -> Picture:
    """Look at the bytes themselves; what a server calls them does not count.

    SVG is no picture here: it can carry scripts.
    """
    try:
        picture = _read(data)
    except (struct.error, IndexError) as error:
        raise NotAPictureError("broken off in its header") from error
    if not (0 < picture.width <= MAX_SIDE and 0 < picture.height <= MAX_SIDE):
        raise NotAPictureError(f"{picture.width} x {picture.height} pixels")
    return picture


def _read(data: bytes) -> Picture:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return Picture("image/png", *struct.unpack(">II", data[16:24]))
    if data.startswith(b"\xff\xd8\xff"):
        return Picture("image/jpeg", *_jpeg_sides(data))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return Picture("image/webp", *_webp_sides(data))
    raise NotAPictureError("neither JPEG nor PNG nor WebP")


def _jpeg_sides(data: bytes) -> tuple[int, int]:
    place = 2
    while place < len(data):
        if data[place] != 0xFF:
            raise NotAPictureError("a broken JPEG")
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        if length < 2:
            raise NotAPictureError("a broken JPEG")
        place += 2 + length
    raise NotAPictureError("a JPEG without a frame")


def _webp_sides(data: bytes) -> tuple[int, int]:
    """Source: RFC 9649 (WebP container), RFC 6386 (VP8), the lossless bitstream's header."""
    kind = data[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return width, height
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise NotAPictureError("a broken WebP")
