"""Images and documents: dimensions and pages, read from the first bytes or guessed from the length."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

UNKNOWN_PIXELS = 1092 * 1092
"""Charged for an image whose dimensions cannot be read (a URL, a file id): the largest square sent unscaled."""
UNKNOWN_PAGES = 5
"""Charged for a document given by URL or file id."""
PAGE_CHARACTERS = 60_000
"""Base64 characters taken for one PDF page."""
HEADER_CHARACTERS = 65_536
"""Base64 characters looked at to find an image's dimensions; a JPEG's may stand behind its metadata."""


def image_pixels(source: Mapping[str, Any]) -> int:
    """Width times height of an image block's source, ``UNKNOWN_PIXELS`` where that cannot be read."""
    data = source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str):
        return UNKNOWN_PIXELS
    for characters in (64, HEADER_CHARACTERS):
        width, height = _dimensions(_head(data, characters))
        if width and height:
            return width * height
    return UNKNOWN_PIXELS


def document_pages(source: Mapping[str, Any]) -> int:
    """Pages of a document block's source, guessed from its length; ``UNKNOWN_PAGES`` for what is not in the request."""
    data = source.get("data")
    if source.get("type") != "base64" or not isinstance(data, str):
        return UNKNOWN_PAGES
    return -(-len(data) // PAGE_CHARACTERS)


def _head(data: str, characters: int) -> bytes:
    head = data[:characters]
    try:
        return b64decode(head[: len(head) // 4 * 4])
    except ValueError:
        return b""


def _dimensions(head: bytes) -> tuple[int, int]:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _big(head[16:20]), _big(head[20:24])
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _little(head[6:8]), _little(head[8:10])
    if head.startswith(b"\xff\xd8"):
        return _jpeg(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    return 0, 0


def _jpeg(head: bytes) -> tuple[int, int]:
    """Walks the segments to the first start-of-frame, which holds height and width."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(head[at + 7 : at + 9]), _big(head[at + 5 : at + 7])
        at += 2 + _big(head[at + 2 : at + 4]) if marker != 0xFF else 1
    return 0, 0


def _webp(head: bytes) -> tuple[int, int]:
    """The three kinds of WebP: extended, lossy and lossless."""
    kind = head[12:16]
    if kind == b"VP8X":
        return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    if kind == b"VP8 ":
        return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
    if kind == b"VP8L":
        bits = _little(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")
