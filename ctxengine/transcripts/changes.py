"""What a repair changes in a conversation, counted, and how it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from ctxengine.findings import Finding, Place, Severity

KINDS: Mapping[str, str] = {
    "interrupted": "tool uses without a result, answered with an error result",
    "orphan": "tool results without a tool use in the message before, dropped",
    "duplicate": "second results of one tool use, dropped",
    "joined": "assistant messages that followed another, joined to it",
    "leading": "assistant messages before the first user message, dropped",
    "misplaced": "tool uses outside assistant messages, dropped",
    "unsigned": "thinking blocks without a signature, dropped",
    "unsaid": "answers that end in their thinking, which is dropped",
    "blank": "text blocks without text, dropped",
    "id": "tool use ids replaced, as the API takes only unique ids of letters, digits, _ and -",
    "name": "tool names replaced, as the API takes only letters, digits, _ and -, and not too many of them",
    "input": "tool inputs that were no object, wrapped in one",
    "unknown": "blocks of a type that the API does not have, kept as they are",
}
Told = tuple[str, Severity, str]
"""Rule, severity and remedy."""
REPAIRED: Told = "transcript-repaired", "info", "no action needed: the file itself stays as it is"
LOST: Told = "transcript-repaired", "info", "correct the file if they should count: what is dropped is in no number"
TOLD: Mapping[str, Told] = {
    **dict.fromkeys(KINDS, REPAIRED),
    **dict.fromkeys(("orphan", "duplicate", "leading", "misplaced"), LOST),
    "unknown": ("transcript-unknown", "warning", "correct their type, or remove them"),
}


class Changes:
    """Counts by kind, each with the message of the first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._firsts: dict[str, int] = {}

    def note(self, kind: str, at: int) -> None:
        """One more, in the message of this index."""
        self._counts[kind] += 1
        self._firsts.setdefault(kind, at)

    def note_elsewhere(self, kind: str, count: int) -> None:
        """So many more, outside the messages."""
        self._counts[kind] += count

    def findings(self, place: Callable[[int], Place], elsewhere: Place) -> Iterator[Finding]:
        """What was changed, and what is unknown.

        Args:
            place: where a message stands, by index.
            elsewhere: where all else does.
        """
        for kind, what in KINDS.items():
            if count := self._counts[kind]:
                rule, severity, remedy = TOLD[kind]
                placed = kind in self._firsts
                message = f"{what}: {count}{', the first of them here' if count > 1 and placed else ''}"
                yield Finding(rule, severity, message, remedy, place(self._firsts[kind]) if placed else elsewhere)
