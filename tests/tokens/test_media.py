"""Dimensions of images are read from their first bytes."""

from __future__ import annotations

from base64 import b64encode

import pytest

from ctxengine.tokens import Size, measure

WIDTH, HEIGHT = 640, 480
LITTLE = WIDTH.to_bytes(2, "little"), HEIGHT.to_bytes(2, "little")
BIG = HEIGHT.to_bytes(2, "big") + WIDTH.to_bytes(2, "big")
VP8L = ((WIDTH - 1) | (HEIGHT - 1) << 14).to_bytes(4, "little")
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + WIDTH.to_bytes(4, "big") + HEIGHT.to_bytes(4, "big"),
    "gif": b"GIF89a" + b"".join(LITTLE),
    "jpeg": b"\xff\xd8\xff\xe1\x10\x00" + b"\0" * 4094 + b"\xff\xc0\0\x11\x08" + BIG,
    "webp lossy": b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + b"".join(LITTLE),
    "webp lossless": b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + VP8L,
    "webp extended": b"RIFF\0\0\0\0WEBPVP8X"
    + b"\0" * 8
    + (WIDTH - 1).to_bytes(3, "little")
    + (HEIGHT - 1).to_bytes(3, "little"),
}


def image(data: str) -> Size:
    return measure({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_dimensions(head: bytes) -> None:
    """Every format the API takes is understood."""
    assert image(b64encode(head + b"\0" * 100).decode()) == Size(images=1, pixels=WIDTH * HEIGHT)


@pytest.mark.parametrize(
    "data", ["", "iVBORw0KGgo", "no base64 at all!", "ÿÿÿÿ", b64encode(b"\xff\xd8" + b"\xff" * 99).decode()]
)
def test_unreadable(data: str) -> None:
    """An image whose header cannot be read counts as the largest square that is sent unscaled."""
    assert image(data) == Size(images=1, pixels=1092 * 1092)


def test_pdf_pages() -> None:
    """A PDF has a page for every 60,000 characters of base64, and the last may be short."""
    source = {"type": "base64", "media_type": "application/pdf", "data": "A" * 130_000}
    assert measure({"type": "document", "source": source}) == Size(pages=3)
