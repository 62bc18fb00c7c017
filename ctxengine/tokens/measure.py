"""Measures content without serialising it and without recursion: an ASCII string costs O(1), its length is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ctxengine.tokens.media import document_pages, image_pixels
from ctxengine.tokens.size import SIZE_FIELDS, Size

STRUCTURE = 6
"""Characters charged for the quotes, colon and comma around one key or element of nested JSON."""
LITERAL = 4
"""Characters charged for a number, true, false or null."""
UNREAD = frozenset({"type", "id", "tool_use_id", "cache_control", "signature", "caller", "is_error", "citations"})
"""Fields of a block that the model does not read as content."""
OPAQUE = frozenset({"encrypted_content", "encrypted_index", "encrypted_stdout"})


def measure(value: object) -> Size:
    """The size of a string, content block, message, tool definition or any list of these; SDK objects count as dicts.

    Odd shapes never raise: what is no known block counts by the strings in it.
    """
    tally = _Tally()
    tally.read(value)
    return tally.size()


def measure_messages(messages: Sequence[Any], start: int = 0) -> Size:
    """The size of ``messages[start:]``: what a growing conversation gained since it was ``start`` messages long.

    Equal to ``measure(messages[start:])``, and several times as fast on plain dicts.
    """
    tally = _Tally()
    blocks: list[Any] = []
    odd = []
    for message in messages[start:] if start else messages:
        content = message.get("content") if type(message) is dict and "role" in message else None
        if type(content) is list:
            tally.messages += 1
            blocks += content
        else:
            odd.append(message)
    tally.read_blocks(blocks)
    tally.read(odd)
    return tally.size()


class _Tally:
    """The running amounts of one measurement."""

    __slots__ = SIZE_FIELDS

    def __init__(self) -> None:
        for name in SIZE_FIELDS:
            setattr(self, name, 0)

    text: int
    code: int
    wide: int
    opaque: int
    messages: int
    calls: int
    tools: int
    images: int
    pixels: int
    pages: int
