"""Amounts of content by class, the same for every model: what a tokenizer's weights are applied to."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Size:
    """How much content there is of each class. Sizes add up; ``Size()`` is nothing."""

    text: int = 0
    """Characters of prose: system, user, assistant and thinking text."""
    code: int = 0
    """Characters of tool results, tool inputs and tool definitions, their JSON structure included."""
    wide: int = 0
    """Characters beyond ASCII in three-byte units: one for a CJK character, half of one for an accented letter."""
    opaque: int = 0
    """Characters of encrypted content, which the API reads and we cannot."""
    messages: int = 0
    calls: int = 0
    """Tool uses and tool results, one each."""
    tools: int = 0
    """Tool definitions."""
    images: int = 0
    pixels: int = 0
    """Pixels of all images together."""
    pages: int = 0
    """Pages of documents that are not plain text."""
    summaries: int = 0
    """Compaction blocks with a summary, around which the API has words of its own."""
    memory_tools: int = 0
    """Memory tools, whose instructions the API writes."""

    def __add__(self, other: Size) -> Size:
        return Size(*[getattr(self, name) + getattr(other, name) for name in SIZE_FIELDS])


SIZE_FIELDS = tuple(field.name for field in fields(Size))
