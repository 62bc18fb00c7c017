"""Replies that end early: at a stop sequence, at ``max_tokens``, at the end of the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctxengine.edits.effect import Count


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply, its output tokens, and why it ends."""

    content: tuple[Mapping[str, Any], ...]
    tokens: int
    stop_reason: str
    stop_sequence: str | None = None


def cut_at_stop(reply: Cut, sequences: Sequence[str], count: Count) -> Cut:
    """Up to the first of the stop sequences in its text, which is left out."""
    for at, block in enumerate(reply.content):
        text = block.get("text", "") if block["type"] == "text" else ""
        found = min(((text.find(each), each) for each in sequences if each and each in text), default=None)
        if found:
            begun = ({**block, "text": text[: found[0]]},) if found[0] else ()
            kept = (*reply.content[:at], *begun)
            return Cut(kept, min(reply.tokens, sum(map(count, kept))), "stop_sequence", found[1])
    return reply


def cut_to(reply: Cut, most: int, reason: str, count: Count) -> Cut:
    """As much as fits into ``most`` tokens; of the block that does not, the beginning if it is text."""
    if reply.tokens <= most:
        return reply
    kept: list[Mapping[str, Any]] = []
    left = most
    for block in reply.content:
        size = count(block)
        if size > left:
            part = block.get("text", "")[: len(block.get("text", "")) * left // max(size, 1)]
            kept += [{**block, "text": part}] if part else []
            break
        kept.append(block)
        left -= size
    return Cut(tuple(kept), most, reason)
