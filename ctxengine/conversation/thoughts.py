"""Thinking in the history: where it lacks its signature, and where nothing follows it."""

from __future__ import annotations

from typing import Any

from ctxengine.conversation.blocks import field_of
from ctxengine.conversation.pairs import Report

UNSAID = "an answer that ends in its thinking"


class Thoughts:
    """What a walk over the messages has seen of thinking so far."""

    __slots__ = ("_bare", "_report", "_signed", "count", "unsaid")

    def __init__(self, report: Report) -> None:
        self._report = report
        self.count = 0
        self.unsaid: tuple[int, int] | None = None
        """Where the last message ends, if that is in thinking: what follows it tells whether it may."""
        self._signed = False
        self._bare: list[tuple[int, int]] = []

    def block(self, index: int, at: int, block: Any, kind: str) -> None:
        """Thinking without a signature is a problem where signed thinking stands before and after it."""
        self.count += 1
        if kind == "thinking" and not field_of(block, "signature"):
            if self._signed:
                self._bare.append((index, at))
            return
        self._signed = True
        for bare in self._bare:
            self._report("bind-middle", *bare, "a thinking block without its signature, between signed ones")
        self._bare = []

    def followed(self, role: Any) -> None:
        """A message follows one that ends in thinking: an answer that goes on in the next message may."""
        if role != "assistant" and self.unsaid is not None:
            self._report("thinking-last", *self.unsaid, UNSAID)
        self.unsaid = None

    def forget(self) -> None:
        """A compaction block stands for all that was before it."""
        self._signed, self._bare = False, []
