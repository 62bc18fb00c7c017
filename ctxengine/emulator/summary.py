"""Summaries without a model: sentences of the conversation itself, as long as recorded summaries are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxengine.conversation import blocks_of, field_of
from ctxengine.edits.effect import Count
from ctxengine.semantics import summary_size

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
LONGEST_SENTENCE = 400
"""Characters: a longer one is data, and only its beginning is quoted."""
OPENING = "Summary of the conversation so far, in its own words:"


def summarise(messages: Sequence[Any], tokens: int, count: Count) -> str:
    """The first sentence and then the newest ones, each once, in their order, up to the size of such a summary.

    The same messages give the same summary; one that repeats itself gives a short one.
    """
    sentences = list(dict.fromkeys(_sentences(messages)))
    left = summary_size(tokens) - count(OPENING)
    kept: list[tuple[int, str]] = []
    for at, sentence in (*enumerate(sentences[:1]), *reversed(list(enumerate(sentences))[1:])):
        left -= count(f"- {sentence}\n")
        if left < 0:
            break
        kept.append((at, sentence))
    return "\n".join([OPENING, *(f"- {sentence}" for _, sentence in sorted(kept))])


def _sentences(messages: Sequence[Any]) -> Iterator[str]:
    for message in messages:
        for block in blocks_of(message):
            for text in _texts(block):
                for sentence in SENTENCE.split(text):
                    if sentence.strip():
                        yield sentence.strip()[:LONGEST_SENTENCE]


def _texts(block: Any) -> Iterator[str]:
    """The text of a block; of results their text too, of a tool use its name. Thinking is not quoted."""
    kind, content = field_of(block, "type"), field_of(block, "content")
    if kind == "text":
        yield str(field_of(block, "text") or "")
    elif kind == "tool_use":
        yield f"Called {field_of(block, 'name')}."
    elif isinstance(content, str):
        yield content
    elif isinstance(content, (list, tuple)):
        for part in content:
            if isinstance(part, Mapping):
                yield from _texts(part)
