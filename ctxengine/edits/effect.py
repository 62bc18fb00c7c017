"""What an edit did to a history: the same value for every edit that clears."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ctxengine.conversation import blocks_of

At = tuple[int, int]
"""A block by index of message and block."""
START: At = (0, 0)
Count = Callable[[Any], int]
"""Sizes any JSON value (block, string, list of messages) in tokens."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The history as an edit left it; what did not change is the caller's own object."""

    messages: Sequence[Any]
    applied: Mapping[str, Any] | None = None
    """The entry of ``applied_edits``, ``None`` where nothing was cleared."""
    freed: int = 0
    """Tokens that are gone from the prompt."""
    tool_use_ids: tuple[str, ...] = ()
    """Ids of the cleared tool uses, oldest first."""


def blocks_from(messages: Sequence[Any], start: At) -> Iterator[tuple[At, Any]]:
    """Every block from a place on, with its place."""
    for index in range(start[0], len(messages)):
        for at, block in enumerate(blocks_of(messages[index])):
            if (index, at) >= start:
                yield (index, at), block


def with_fields(item: Any, **changes: Any) -> Any:
    """A copy of a dict or of an SDK model object with other values for some fields."""
    return {**item, **changes} if isinstance(item, Mapping) else item.model_copy(update=changes)


def with_blocks(messages: Sequence[Any], changed: Mapping[At, Any]) -> list[Any]:
    """The messages with other blocks in some places."""
    made = list(messages)
    for index, places in _by_message(changed).items():
        blocks = enumerate(blocks_of(made[index]))
        content = [changed[index, at] if at in places else block for at, block in blocks]
        made[index] = with_fields(made[index], content=content)
    return made


def without_blocks(messages: Sequence[Any], gone: Iterable[At]) -> list[Any]:
    """The messages without the blocks in some places."""
    made = list(messages)
    for index, places in _by_message(gone).items():
        content = [block for at, block in enumerate(blocks_of(made[index])) if at not in places]
        made[index] = with_fields(made[index], content=content)
    return made


def _by_message(places: Iterable[At]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for index, at in places:
        found.setdefault(index, set()).add(at)
    return found
