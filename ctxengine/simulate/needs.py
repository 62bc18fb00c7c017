"""What a conversation comes back to: the ground of regret, found once for every policy.

Something is needed at a turn where the model, as recorded, makes the same tool call again, or writes (as text or as
input of a tool) a passage of at least ``QUOTE`` characters that stood in the conversation before. A passage is what
stands between line breaks, double quotes and backticks, without the space around it. Where it stood more than once, the
newest place counts, for the model would read it there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ctxengine.catalog.facts import CALLS
from ctxengine.conversation import RESULTS, blocks_of

QUOTE = 40
"""Characters from which on a passage counts as quoted."""
FEW = 12
"""Beginnings up to which looking for each in a text is quicker than taking the text apart."""


class Need(NamedTuple):
    """Something that a turn comes back to."""

    message: int
    """Where it stands."""
    use: int
    """The tool use whose result it is, by order in the conversation; -1 for text."""
    how: Literal["repeated", "quoted"]


Needs = Mapping[int, Sequence[Need]]
"""By index of the message that the model wrote."""


def find_needs(messages: Sequence[Mapping[str, Any]]) -> Needs:
    """What every answer of a conversation comes back to; answers that come back to nothing are left out."""
    written = {
        index: {passage for text in _written(message) for passage in _passages(text)}
        for index, message in enumerate(messages)
        if _by_model(message)
    }
    memory = _Memory(set().union(*written.values()))
    found: dict[int, list[Need]] = {}
    for index, message in enumerate(messages):
        if index in written:
            needs = memory.recall(index, message, written[index])
            if needs:
                found[index] = needs
        else:
            memory.hear(index, message)
    return found


class _Memory:
    """Everything said so far, as far as anything ever comes back to it."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted
        self._heads = {passage[:QUOTE] for passage in wanted}
        """How the passages begin: a short text is sooner found, or not, than a long one."""
        self._passages: dict[str, tuple[int, int]] = {}
        self._calls: dict[Hashable, tuple[int, int]] = {}
        self._open: dict[Any, int] = {}
        self._uses = 0

    def hear(self, index: int, message: Mapping[str, Any]) -> None:
        """What others say: questions, and the results of tools."""
        if not self._wanted:
            return
        for block in blocks_of(message):
            self._keep(
                _texts(block.get("content", block.get("text"))), index, self._open.get(block.get("tool_use_id"), -1)
            )

    def recall(self, index: int, message: Mapping[str, Any], passages: set[str]) -> list[Need]:
        """What a message of the model's comes back to; then it is part of the memory itself."""
        quoted = {self._passages[passage] for passage in passages if passage in self._passages}
        needs = [Need(*place, "quoted") for place in sorted(quoted)]
        self._passages.update(dict.fromkeys(passages, (index, -1)))
        for block in blocks_of(message):
            kind = block["type"]
            if kind in CALLS:
                call = (block.get("name"), _frozen(block.get("input")))
                if call in self._calls:
                    needs.append(Need(*self._calls[call], "repeated"))
                self._calls[call] = (index, self._uses)
                self._open[block.get("id")] = self._uses
                self._uses += 1
            elif kind in RESULTS:
                self._keep(_texts(block.get("content")), index, self._open.get(block.get("tool_use_id"), -1))
        return needs

    def _keep(self, texts: Iterable[str], index: int, use: int) -> None:
        place, wanted = (index, use), self._wanted
        few = len(self._heads) <= FEW
        for text in texts:
            if few and not any(head in text for head in self._heads):
                continue
            for passage in wanted.intersection(_passages(text)):
                self._passages[passage] = place


def _by_model(message: Mapping[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def _written(message: Mapping[str, Any]) -> Iterator[str]:
    """What the model writes: text, and the input of tools."""
    for block in blocks_of(message):
        if block["type"] in CALLS:
            yield from _texts(block.get("input"))
        elif block["type"] == "text":
            yield block["text"]


def _passages(text: str) -> list[str]:
    if len(text) < QUOTE:
        return []
    pieces = text.replace('"', "\n").replace("`", "\n").split("\n")
    return [piece for piece in [piece.strip() for piece in pieces if len(piece) >= QUOTE] if len(piece) >= QUOTE]


def _frozen(value: Any) -> Hashable:
    """A JSON value, to be looked up; the order of keys does not count."""
    if isinstance(value, dict):
        return frozenset((key, _frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (bool, value) if isinstance(value, bool) else value  # to Python, true is 1


def _texts(value: Any) -> Iterator[str]:
    """The strings in a JSON value."""
    if type(value) is str:
        yield value
        return
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
