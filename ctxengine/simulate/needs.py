"""What a conversation comes back to: the ground of regret, found once for every policy.

Something is needed at a turn where the model, as recorded, makes the same tool call again, or writes (as text or as
input of a tool) a passage of at least ``QUOTE`` characters that stood in the conversation before. A passage is what
stands between line breaks, double quotes and backticks, without the space around it. Where it stood more than once, the
newest place counts, for the model would read it there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ctxengine.tokens.measure import CALLS

QUOTE = 40
"""Characters from which on a passage counts as quoted."""


class Need(NamedTuple):
    """Something that a turn comes back to."""

    message: int
    """Where it stands."""
    use: int
    """The tool use whose result it is, by order in the conversation; -1 for text."""
    how: Literal["repeated", "quoted"]


class Memory:
    """Everything said so far. Feed it message by message, in order."""

    def __init__(self) -> None:
        self._passages: dict[str, tuple[int, int]] = {}
        self._calls: dict[str, tuple[int, int]] = {}

    def hear(self, message: int, use: int, content: Any) -> None:
        """A text or a tool's result."""
        for text in _texts(content):
            self._passages.update(dict.fromkeys(_passages(text), (message, use)))

    def written(self, message: int, block: Mapping[str, Any], kind: str, use: int) -> list[Need]:
        """What a block of the model's comes back to; then it is part of the memory itself."""
        needs: list[Need] = []
        content: Any = block.get("text")
        if kind in CALLS:
            content = block.get("input")
            call = json.dumps((block.get("name"), content), sort_keys=True, default=str)
            if call in self._calls:
                needs.append(Need(*self._calls[call], "repeated"))
            self._calls[call] = (message, use)
        found = {passage for text in _texts(content) for passage in _passages(text)}
        known = {self._passages[passage] for passage in found if passage in self._passages}
        needs += (Need(*place, "quoted") for place in sorted(known))
        self._passages.update(dict.fromkeys(found, (message, -1)))
        return needs


def _passages(text: str) -> Iterator[str]:
    for piece in text.replace('"', "\n").replace("`", "\n").split("\n"):
        if len(piece) >= QUOTE and len(stripped := piece.strip()) >= QUOTE:
            yield stripped


def _texts(value: Any) -> Iterator[str]:
    """The strings in a JSON value."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
