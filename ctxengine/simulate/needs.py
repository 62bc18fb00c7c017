"""What a conversation comes back to: the ground of regret, found once for every policy.

Something is needed at a turn where the model, as recorded, makes the same tool call again, or writes (as text or as
input of another call) a passage of at least ``QUOTE`` characters that stood in the conversation before. A passage is
what stands between line breaks, quotation marks and backticks, and each sentence of that, without the space and the
punctuation around it; it counts as quoted where it stands whole in what is written, from the beginning of a word on.
Where it stood more than once, the newest place counts, for the model would read it there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from ctxengine.catalog.facts import CALLS
from ctxengine.conversation import RESULTS, blocks_of

QUOTE = 40
"""Characters from which on a passage counts as quoted."""
LONGEST = 1_000
"""Characters that decide whether a passage is quoted, however long it is."""
LENGTHS = 32
"""Lengths of passages with one beginning that are kept, the newest: each is looked for wherever they may begin."""
FEW = 12
"""Beginnings up to which looking for each in a text is quicker than taking the text apart."""
AROUND = " \t\r\f\v\u00a0.,;:!?-*>#|'()[]{}<\u2018\u2019\u00ab\u00bb\u2013\u2014\u2026\u2022\u2192"
"""What surrounds a passage and is none of it: punctuation, brackets, and the marks of lists."""
WRITTEN = ("text", "compaction", *CALLS)
"""Types of blocks in which the model quotes; in its thinking it is only on its way there."""
TEXT_IN = {"text": "text", "thinking": "thinking", "document": "source", **dict.fromkeys(CALLS, "input")}
"""Type of block → the field that holds what it says, where that is not its content."""
Starts = Mapping[str, Sequence[tuple[str, int]]]
"""How passages begin that a text may quote → each line, or part of one, that this stands in, and where."""


class Stand(NamedTuple):
    """Where something stands."""

    message: int
    block: int
    use: int
    """The tool use that it belongs to, by order in the conversation; -1 for none."""
    of: Literal["text", "thinking", "input", "result"]


class Need(NamedTuple):
    """Something that a turn comes back to."""

    at: Stand
    how: Literal["repeated", "quoted"]


Needs = Mapping[int, Sequence[Need]]
"""By index of the message that the model wrote."""


def find_needs(messages: Sequence[Mapping[str, Any]]) -> Needs:
    """What every answer of a conversation comes back to; answers that come back to nothing are left out."""
    written = {
        index: list(_written(message)) for index, message in enumerate(messages) if message["role"] == "assistant"
    }
    memory = _Memory({head for _, starts in chain(*written.values()) for head in starts})
    found: dict[int, list[Need]] = {}
    for index, message in enumerate(messages):
        blocks = blocks_of(message)
        if index in written and (needs := memory.recall(index, blocks, written[index])):
            found[index] = needs
        memory.keep(index, blocks)
    return found


class _Memory:
    """Everything said so far, as far as anything ever comes back to it.

    Args:
        heads: how passages begin that the model ever writes: a short text is sooner found, or not, than a long one.
    """

    def __init__(self, heads: set[str]) -> None:
        self._heads = heads
        self._sought = heads if len(heads) <= FEW else ("",)
        self._passages: defaultdict[str, dict[int, dict[str, Stand]]] = defaultdict(dict)
        """By how they begin, and how long they are."""
        self._calls: dict[Hashable, Stand] = {}
        self._uses: dict[Any, int] = {}
        """Number of the last use of each id."""
        self._count = 0

    def recall(
        self, index: int, blocks: Sequence[Mapping[str, Any]], written: Iterable[tuple[int, Starts]]
    ) -> list[Need]:
        """What a message of the model's comes back to."""
        repeated = {
            at: need
            for at, block in enumerate(blocks)
            if block["type"] in CALLS and (need := self._called(Stand(index, at, self._count, "result"), block))
        }
        quoted: set[Stand] = set()
        for at, starts in written:
            if at not in repeated and (heads := self._passages.keys() & starts.keys()):
                stood = set(self._quoted(heads, starts, self._stand(index, at, blocks[at])))
                if blocks[at]["type"] != "compaction":  # a summary comes back to everything
                    quoted |= stood
        return [Need(at, "quoted") for at in sorted(quoted) if at.message < index] + list(repeated.values())

    def keep(self, index: int, blocks: Sequence[Mapping[str, Any]]) -> None:
        """A message becomes part of what was said."""
        if not self._heads:
            return
        for at, block in enumerate(blocks):
            for text in _texts(block):
                for head in self._sought:
                    if head in text:
                        self._keep(text, self._stand(index, at, block))
                        break

    def _called(self, at: Stand, block: Mapping[str, Any]) -> Need | None:
        """A call, where it was made before."""
        call = (block.get("name"), _frozen(block.get("input")))
        before = self._calls.get(call)
        self._calls[call] = at
        self._uses[block.get("id")] = at.use
        self._count += 1
        return before and Need(before, "repeated")

    def _quoted(self, heads: Iterable[str], starts: Starts, at: Stand) -> Iterator[Stand]:
        """Where the passages stood that a text holds; from now on they stand there."""
        for head in heads:
            for line, start in starts[head]:
                for length, passages in self._passages[head].items():
                    passage = line[start : start + length]
                    if passage in passages:
                        yield passages[passage]
                        passages[passage] = at

    def _keep(self, text: str, at: Stand) -> None:
        for passage in _passages(text):
            if passage[:QUOTE] in self._heads:
                by_length = self._passages[passage[:QUOTE]]
                alike = by_length.pop(len(passage), {})
                if len(by_length) == LENGTHS:
                    del by_length[next(iter(by_length))]
                by_length[len(passage)] = alike  # behind the others: the oldest stand first
                alike[passage] = at

    def _stand(self, index: int, at: int, block: Mapping[str, Any]) -> Stand:
        kind = block["type"]
        if kind in RESULTS:
            return Stand(index, at, self._uses.get(block.get("tool_use_id"), -1), "result")
        if kind in CALLS:
            return Stand(index, at, self._uses.get(block.get("id"), -1), "input")
        return Stand(index, at, -1, "thinking" if kind == "thinking" else "text")


def _written(message: Mapping[str, Any]) -> Iterator[tuple[int, Starts]]:
    """What the model writes, by block: how the passages begin that it may quote."""
    for at, block in enumerate(blocks_of(message)):
        if block["type"] in WRITTEN:
            for text in _texts(block):
                yield at, _starts(text)


def _starts(text: str) -> Starts:
    """Every beginning of a word that a passage fits behind."""
    starts: dict[str, list[tuple[str, int]]] = {}
    for line in _lines(text):
        for word in _WORD.finditer(line, 0, len(line) - QUOTE + 1):
            at = word.start()
            starts.setdefault(line[at : at + QUOTE], []).append((line, at))
    return starts


def _passages(text: str) -> list[str]:
    lines = _lines(text)
    if "\t" in text or "\u2192" in text:
        lines += [line[number.end() :] for line in lines if (number := _NUMBER.match(line))]
    if any(end in text for end in _ENDS):
        lines += [sentence for line in lines for sentence in _SENTENCE_END.split(line)]
    return [kept[:LONGEST] for line in lines if len(kept := line.strip(AROUND)) >= QUOTE]


def _lines(text: str) -> list[str]:
    """The lines that are long enough to hold a passage; what stands in quotation marks, and code, is a line."""
    apart = text.replace('"', "\n").replace("`", "\n").replace("\u201c", "\n").replace("\u201d", "\n")
    return [line for line in apart.split("\n") if len(line) >= QUOTE]


_NUMBER = re.compile(r"\s*\d+[\t\u2192]")
"""What tools that print files write before a line."""
_ENDS = (". ", "? ", "! ")
_SENTENCE_END = re.compile(r"[.?!] ")
_WORD = re.compile(f"[^{re.escape(AROUND)}]+")


def _frozen(value: Any) -> Hashable:
    """A JSON value, to be looked up; the order of keys does not count."""
    if isinstance(value, dict):
        return frozenset((key, _frozen(child)) for key, child in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return (bool, value) if isinstance(value, bool) else value  # to Python, true is 1


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    """The strings in what a block says that are long enough to hold a passage."""
    stack = [block.get(TEXT_IN.get(block["type"], "content"))]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if len(item) >= QUOTE:
                yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
