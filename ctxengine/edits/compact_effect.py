"""What ``compact_20260112`` does to a history: when it is due, and what a block leaves of what stands before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctxengine.conversation import blocks_of, field_of
from ctxengine.edits.effect import with_fields


def is_due(params: Mapping[str, Any], prompt_tokens: int) -> bool:
    """Whether a prompt reaches the trigger. Measured on what earlier edits left, from the newest block on."""
    return bool(prompt_tokens >= params["trigger"]["value"])


def newest_block(messages: Sequence[Any]) -> tuple[int, int] | None:
    """Message and block index of the newest block with a summary; a failed one, whose content is null, does nothing."""
    for index in range(len(messages) - 1, -1, -1):
        blocks = blocks_of(messages[index])
        for at in range(len(blocks) - 1, -1, -1):
            if field_of(blocks[at], "type") == "compaction" and field_of(blocks[at], "content"):
                return index, at
    return None


def from_newest_block(messages: Sequence[Any]) -> Sequence[Any]:
    """The messages that the model reads: what stands before the newest block is ignored."""
    found = newest_block(messages)
    if found is None or found == (0, 0):
        return messages
    index, at = found
    first = messages[index] if at == 0 else with_fields(messages[index], content=list(blocks_of(messages[index])[at:]))
    return [first, *messages[index + 1 :]]


def replaced_by(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The history that a block stands for, as the API reads it on: the block alone."""
    return [{"role": "assistant", "content": [block]}]
