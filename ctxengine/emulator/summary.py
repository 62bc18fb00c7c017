"""Summaries without a model: sentences of the conversation itself, as long as recorded summaries are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctxengine.catalog.facts import CALLS
from ctxengine.conversation import THINKING, blocks_of, field_of
from ctxengine.edits.effect import Count
from ctxengine.semantics import summary_size
from ctxengine.tokens.measure import OPAQUE, UNREAD

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
LONGEST_SENTENCE = 400
"""Characters; a longer one is data, and taken in pieces."""
UNQUOTED = UNREAD | OPAQUE | {"media_type"}
"""Fields that are no text of the conversation's."""
WORDLESS = (*THINKING, "base64")
"""Types of what holds no words to quote."""
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
                for sentence in map(str.strip, SENTENCE.split(text)):
                    for start in range(0, len(sentence), LONGEST_SENTENCE):
                        yield sentence[start : start + LONGEST_SENTENCE]


def _texts(value: Any) -> Iterator[str]:
    """The texts in a block, or in what it holds; of a tool use its name, and what it was called with."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)
    elif field_of(value, "type") in CALLS:
        yield f"Called {field_of(value, 'name')}."
        yield from _texts(field_of(value, "input"))
    elif field_of(value, "type") not in WORDLESS:
        fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
        for name, part in fields.items():
            if name not in UNQUOTED and not isinstance(part, (int, float, type(None))):
                yield from _texts(part)
