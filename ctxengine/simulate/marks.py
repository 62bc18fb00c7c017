"""The cache marks of each request: where the engine would place them, worked out on rows."""

from __future__ import annotations

from bisect import bisect_left

from ctxengine.conversation import last_tool
from ctxengine.plan.breakpoints import ordered_ttls
from ctxengine.semantics.cache import Mark
from ctxengine.simulate.planned import Planned, cacheable_from
from ctxengine.simulate.scan import Scan, Start
from ctxengine.simulate.sent import Sent


class Marker:
    """Places marks for one policy, from one compaction to the next.

    Args:
        start: where the prompt's messages begin.
        summary: tokens of a block of ours in front of it.
        block: the row of the prompt that holds the newest compaction block, ours or a recorded one.
    """

    def __init__(
        self, plan: Planned, made: Scan, sent: Sent, start: Start, summary: int = 0, block: int | None = None
    ) -> None:
        self._plan, self._made, self._sent = plan, made, sent
        self._message, self._first = start.message, start.row
        on_tools, on_system, self._from = cacheable_from(plan, made, start, summary)
        system = sent.messages_at - 1 if sent.messages_at > sent.system_at else None
        tools = last_tool(made.request.get("tools") or ())
        self._tail_ttl = plan.ttls["last_message"] if "last_message" in plan.wanted else None
        self._fixed = [
            *self._mark("system", system if on_system else None),
            *self._mark("compaction_block", block),
        ]
        self._tools = self._mark("tools", tools if on_tools else None)
        self._head = list(made.head.marks)
        self._alike = len({*plan.ttls.values()}) == 1
        self._rows = [row for row, _ in made.marks]

    def marks(self, messages: int) -> list[Mark]:
        """In prompt order, for a request with so many messages, whose rows have been taken in.

        A mark on a part of a result that is cleared takes a slot in the request, and is not in what is left of it.
        """
        asked = self._asked(messages)
        gone = self._made.marked_inside & self._sent.freed.keys()
        return [mark for mark in asked if mark.block - self._sent.offset not in gone] if gone else asked

    def _asked(self, messages: int) -> list[Mark]:
        plan = self._plan
        given = self._given(messages) if self._rows else self._head[:]
        free = plan.slots - len(given)
        tail = self._tail(messages)
        if plan.automatic is not None:
            free -= 1  # even where its block is marked already
            at = tail + self._sent.offset
            if not (given and given[-1].block == at):
                given.append(Mark(at, plan.automatic))
        if not plan.wanted:
            return given
        taken = {mark.block for mark in given}
        placed: list[Mark] = []
        for mark in self._wanted(messages, tail):
            if len(placed) < free and mark.block not in taken:
                taken.add(mark.block)
                placed.append(mark)
        placed.sort()
        if self._alike and not given:
            return placed
        return sorted([*given, *(Mark(at, ttl) for at, ttl in ordered_ttls(placed, given))])

    def _wanted(self, messages: int, tail: int) -> list[Mark]:
        """A mark for each place that the policy wants, in the order in which slots are given away."""
        ttl, offset = self._tail_ttl, self._sent.offset
        if ttl is None:
            return [*self._fixed, *self._tools]
        last = [Mark(tail + offset, ttl)] if self._plan.automatic is None and tail >= self._from else []
        before = self._previous_tail(messages, tail)
        previous = [Mark(before + offset, ttl)] if before >= self._from else []
        return [*last, *self._fixed, *previous, *self._tools]

    def _mark(self, place: str, at: int | None) -> list[Mark]:
        return [] if at is None or place not in self._plan.wanted else [Mark(at, self._plan.ttls[place])]

    def _tail(self, messages: int) -> int:
        tails = self._made.tails
        for index in range(messages - 1, self._message - 1, -1):
            if tails[index] >= 0:
                return tails[index]
        return -1

    def _previous_tail(self, messages: int, end: int) -> int:
        """The end of the newest user message before the last one, where the look-back does not reach it."""
        made = self._made
        for index in range(messages - 2, self._message - 1, -1):
            if made.user[index]:
                row = made.tails[index]
                far = row >= 0 and made.places[end] - made.places[row] + 1 > self._plan.lookback
                return row if far else -1
        return -1

    def _given(self, messages: int) -> list[Mark]:
        """The caller's own marks on blocks."""
        made, offset = self._made, self._sent.offset
        start, stop = (bisect_left(self._rows, row) for row in (self._first, made.first_rows[messages]))
        return [*self._head, *(Mark(row + offset, ttl) for row, ttl in made.marks[start:stop])]
