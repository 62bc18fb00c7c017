"""What a conversation comes back to: the ground of regret, found once for every policy.

Something is needed at a turn where the model, as recorded, makes the same tool call again, or writes (as text or as
input of a tool) a passage of at least ``QUOTE`` characters that stood in the conversation before. A passage is what
stands between line breaks, quotation marks and backticks, and each sentence of that, without the space and the
punctuation around it; it counts as quoted wherever it stands in what is written, whole. Where it stood more than once,
the newest place counts, for the model would read it there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from ctxengine.catalog.facts import CALLS
from ctxengine.conversation import RESULTS, blocks_of

QUOTE = 40
"""Characters from which on a passage counts as quoted."""
FEW = 12
"""Beginnings up to which looking for each in a text is quicker than taking the text apart."""
AROUND = " \t\r.,;:!?-*>#|'"
"""What surrounds a passage and is none of it: punctuation, and the marks of lists."""


class Stand(NamedTuple):
    """Where something stands."""

    message: int
    use: int
    """The tool use that it belongs to, by order in the conversation; -1 for none."""
    of: Literal["text", "thinking", "input", "result"]


class Need(NamedTuple):
    """Something that a turn comes back to."""

    at: Stand
    how: Literal["repeated", "quoted"]


class Written(NamedTuple):
    """A text of the model's: what it says, or what it calls a tool with."""

    text: str
    call: Any
    """Id of the tool use; ``None`` for none."""
    heads: set[str]
    """How passages begin that stand in it."""


Needs = Mapping[int, Sequence[Need]]
"""By index of the message that the model wrote."""


def find_needs(messages: Sequence[Mapping[str, Any]]) -> Needs:
    """What every answer of a conversation comes back to; answers that come back to nothing are left out."""
    written = {
        index: list(_written(message)) for index, message in enumerate(messages) if message["role"] == "assistant"
    }
    memory = _Memory(set().union(*(each.heads for each in chain(*written.values()))))
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
    """Everything said so far, as far as anything ever comes back to it.

    Args:
        heads: how passages begin that the model ever writes: a short text is sooner found, or not, than a long one.
    """

    def __init__(self, heads: set[str]) -> None:
        self._heads = heads
        self._passages: defaultdict[str, dict[str, Stand]] = defaultdict(dict)
        """By how they begin."""
        self._calls: dict[Hashable, Stand] = {}
        self._open: dict[Any, int] = {}
        self._uses = 0

    def hear(self, index: int, message: Mapping[str, Any]) -> None:
        """What others say: questions, and the results of tools."""
        if not self._heads:
            return
        for block in blocks_of(message):
            use = self._open.get(block.get("tool_use_id"), -1)
            at = Stand(index, use, "text" if use < 0 else "result")
            self._keep(_texts(block.get("content", block.get("text"))), at)

    def recall(self, index: int, message: Mapping[str, Any], written: Sequence[Written]) -> list[Need]:
        """What a message of the model's comes back to; then it is part of the memory itself."""
        repeated = [
            need for block in blocks_of(message) if block["type"] in CALLS for need in self._called(index, block)
        ]
        said = [
            (text, heads, Stand(index, -1, "text") if call is None else Stand(index, self._open[call], "input"))
            for text, call, heads in written
        ]
        quoted = {stood for text, heads, at in said for stood in self._quoted(text, at, heads)}
        for block in blocks_of(message):
            if block["type"] == "thinking":
                self._keep(_texts(block.get("thinking")), Stand(index, -1, "thinking"))
            elif block["type"] in RESULTS:
                use = self._open.get(block.get("tool_use_id"), -1)
                self._keep(_texts(block.get("content")), Stand(index, use, "result"))
        for text, _, at in said:
            self._keep([text], at)
        return [Need(at, "quoted") for at in sorted(quoted) if at.message < index] + repeated

    def _called(self, index: int, block: Mapping[str, Any]) -> Iterator[Need]:
        """A call that was made before."""
        call = (block.get("name"), _frozen(block.get("input")))
        if call in self._calls:
            yield Need(self._calls[call], "repeated")
        self._calls[call] = Stand(index, self._uses, "result")
        self._open[block.get("id")] = self._uses
        self._uses += 1

    def _quoted(self, text: str, at: Stand, heads: set[str]) -> Iterator[Stand]:
        """Where the passages stood that a text holds; from now on they stand there."""
        for head in self._passages.keys() & heads:
            passages = self._passages[head]
            start = text.find(head)
            while start >= 0:
                for passage in [each for each in passages if text.startswith(each, start)]:
                    yield passages[passage]
                    passages[passage] = at
                start = text.find(head, start + 1)

    def _keep(self, texts: Iterable[str], at: Stand) -> None:
        heads = self._heads
        few = heads if len(heads) <= FEW else ("",)
        for text in texts:
            for head in few:
                if head in text:
                    break
            else:
                continue
            for passage in _passages(text):
                if passage[:QUOTE] in heads:
                    self._passages[passage[:QUOTE]][passage] = at


def _written(message: Mapping[str, Any]) -> Iterator[Written]:
    """What the model writes that is long enough to be quoted, or to quote."""
    for block in blocks_of(message):
        if block["type"] in CALLS:
            for text in _texts(block.get("input")):
                if len(text) >= QUOTE:
                    yield Written(text, block.get("id"), _heads(text))
        elif block["type"] == "text" and len(block["text"]) >= QUOTE:
            yield Written(block["text"], None, _heads(block["text"]))


def _heads(text: str) -> set[str]:
    """How passages would begin that the text quotes: at each of its words."""
    heads: set[str] = set()
    at, last = 0, len(text) - QUOTE
    flat = _apart(text).replace("\n", " ")
    for word in flat.split(" "):
        if at > last:
            break
        if word:
            heads.add(flat[at : at + QUOTE])
        at += len(word) + 1
    return heads


def _passages(text: str) -> list[str]:
    if len(text) < QUOTE:
        return []
    pieces = _apart(text).split("\n")
    if ". " in text:
        pieces += [sentence for line in pieces if ". " in line for sentence in line.split(". ")]
    return [kept for piece in pieces if len(piece) >= QUOTE and len(kept := piece.strip(AROUND)) >= QUOTE]


def _apart(text: str) -> str:
    """What stands in quotation marks, and code, on lines of its own; nothing moves."""
    return text.replace('"', "\n").replace("`", "\n").replace("\u201c", "\n").replace("\u201d", "\n")


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
