"""From the end of the messages back: where a mark may stand, where the last request ended, how far that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ctxengine.conversation.blocks import blocks_of, field_of, markable
from ctxengine.conversation.facts import Position, in_messages


def last_markable(messages: Sequence[Any], first: Position, end: int) -> Position | None:
    """The last block that may carry a mark, from ``first`` on, in the message at index ``end`` or before it."""
    for index in range(end, first.index - 1, -1):
        found = _last_in(messages, index, first)
        if found is not None:
            return found
    return None


def previous_tail(messages: Sequence[Any], first: Position) -> Position | None:
    """Where the request before this one ended: the last block that may carry a mark in the newest user message before
    the last message."""
    for index in range(len(messages) - 2, first.index - 1, -1):
        if field_of(messages[index], "role") == "user":
            return _last_in(messages, index, first)
    return None


def _last_in(messages: Sequence[Any], index: int, first: Position) -> Position | None:
    blocks = blocks_of(messages[index])
    start = first.block if index == first.index else 0
    for at in range(len(blocks) - 1, start - 1, -1):
        if markable(blocks[at]):
            return in_messages(index, at)
    return None


def positions_between(
    messages: Sequence[Any], first: Position, last: Position, *, collapse_runs: bool, enough: int
) -> int:
    """Cache look-back positions from ``last`` back to ``first``, both included, counted up to ``enough``.

    With ``collapse_runs`` a run of tool_use (or of tool_result) blocks is one position.
    """
    count, previous = 0, ""
    for index in range(last.index, first.index - 1, -1):
        blocks = blocks_of(messages[index])
        stop = first.block if index == first.index else 0
        start = last.block if index == last.index else len(blocks) - 1
        for at in range(start, stop - 1, -1):
            kind = str(field_of(blocks[at], "type"))
            if not (collapse_runs and kind == previous and kind in ("tool_use", "tool_result")):
                count += 1
            previous = kind
            if count >= enough:
                return count
    return count
