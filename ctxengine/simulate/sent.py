"""The prompt that a policy sends, as the cache sees it: grown row by row, and rewritten from where an edit cuts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ctxengine.semantics.cache import Prompt
from ctxengine.simulate.scan import Scan

GONE = None
"""Id of a row that an edit took out: no prefix ends there."""


class Sent:
    """The rows of one policy's prompt: the head, a summary where there is one, the messages from ``row`` on."""

    def __init__(self, made: Scan) -> None:
        self._made = made
        head = made.head.prompt
        self.ids: list[Hashable] = list(head.ids)
        self.tokens: list[int] = list(head.tokens)
        self.places: list[int] = list(head.places)
        self.system_at, self.messages_at = head.system_at, head.messages_at
        if made.fit.hidden:
            self._add("hidden", made.fit.hidden)
            self.messages_at += 1
        self.prompt = Prompt(self.ids, self.tokens, self.places, self.system_at, self.messages_at)
        self.freed: dict[int, int] = {}
        """Row → tokens that clearing takes from it."""
        self.removed: set[int] = set()
        """Rows that are not in the prompt any more: they are among those that free tokens."""
        self.begin(0, made.instructions)

    def begin(self, row: int, extra: int, summary: tuple[Hashable, int] | None = None) -> None:
        """Start over behind the head.

        Args:
            row: the first of the messages' rows.
            extra: tokens that its first block has on top of its own.
            summary: id and tokens of a block in front of it.
        """
        self._cut(self.messages_at)
        self.freed, self.removed = {}, set()
        if summary is not None:
            self._add(*summary)
        self.offset, self._next, self._extra, self._first = len(self.ids) - row, row, extra, row
        places = self._made.places
        self._place = (self.places[-1] if self.places else -1) + 1 - (places[row] if row < len(places) else 0)

    def extend(self, end: int) -> None:
        """Take in the rows up to ``end``."""
        made, freed, removed = self._made, self.freed, self.removed
        sizes, its_places = made.sizes, made.places
        ids, tokens, places = self.ids, self.tokens, self.places
        begins = self._next == self._first
        shift = self._place if begins else places[-1] - its_places[self._next - 1]
        total = (tokens[-1] if tokens else 0) + (self._extra if begins else 0)
        prefix = self._prefix()
        for row in range(self._next, end):
            total += sizes[row]
            if row not in freed:
                ids.append(prefix := hash((prefix, row)))
            elif row in removed:
                ids.append(GONE)
                total, shift = total - freed[row], shift - 1
            else:
                ids.append(prefix := hash((prefix, row, freed[row])))
                total -= freed[row]
            tokens.append(total)
            places.append(its_places[row] + shift)
        self._next = max(self._next, end)

    def shown(self) -> list[str]:
        """The features that the rows bring along; those that are cleared bring none."""
        rows = range(self._first, self._next)
        return sorted({feature for row, feature in self._made.shown if row in rows and row not in self.freed})

    def rewind(self, rows: Iterable[int]) -> None:
        """Forget what stands behind the first of the rows: their content changes."""
        first = min(rows)
        if first < self._next:
            self._cut(first + self.offset)
            self._next = first

    def _add(self, id: Hashable, tokens: int) -> None:
        self.ids.append(hash((self._prefix(), id)))
        self.tokens.append(tokens + (self.tokens[-1] if self.tokens else 0))
        self.places.append((self.places[-1] if self.places else -1) + 1)

    def _prefix(self) -> Hashable:
        """Id of all that is in the prompt so far."""
        for each in reversed(self.ids):
            if each is not GONE:
                return each
        return ""

    def _cut(self, at: int) -> None:
        del self.ids[at:], self.tokens[at:], self.places[at:]
