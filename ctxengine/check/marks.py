"""What rules ask about cache marks: the caller's, the automatic one and the plan's own, as they are sent."""

from __future__ import annotations

from typing import NamedTuple

from ctxengine.check.rule import Facts
from ctxengine.conversation import AT_END, Mark, Position, blocks_of, field_of, in_messages, markable
from ctxengine.findings import Place


class Sent(NamedTuple):
    at: Position
    ttl: str


def marks_of(facts: Facts) -> list[Sent]:
    """All marks that are sent, in prompt order."""
    theirs = (Sent(mark.at, mark.ttl) for mark in facts.conversation.marks)
    ours = (Sent(mark.at, mark.ttl) for mark in facts.plan.breakpoints)
    return sorted((*theirs, *ours))


def automatic_mark(facts: Facts) -> Mark | None:
    return next((mark for mark in facts.conversation.marks if mark.at == AT_END), None)


def mark_at_end(facts: Facts) -> Sent | None:
    """The explicit mark on the block that an automatic one goes to."""
    last = last_markable(facts, len(facts.conversation.messages) - 1)
    return next((mark for mark in marks_of(facts) if mark.at == last), None)


def last_markable(facts: Facts, index: int) -> Position | None:
    """The last block that may carry a mark, at or before a message."""
    first = facts.plan.pruned.first.index if facts.plan.pruned else 0
    for at in range(index, first - 1, -1):
        blocks = blocks_of(facts.conversation.messages[at])
        for block in range(len(blocks) - 1, -1, -1):
            if markable(blocks[block]):
                return in_messages(at, block)
    return None


def slots_of(facts: Facts) -> list[Sent]:
    """The marks that take a slot: an automatic one does not where the same mark stands there already."""
    marks = marks_of(facts)
    automatic = automatic_mark(facts)
    same = mark_at_end(facts) if automatic else None
    return marks[:-1] if automatic and same and same.ttl == automatic.ttl else marks


def place_of(at: Position) -> Place:
    return Place("cache_control" if at == AT_END else at.path)


def previous_tail(facts: Facts) -> Position | None:
    """The end of the newest user message before the last message: where the request before this one ended."""
    messages = facts.conversation.messages
    first = facts.plan.pruned.first.index if facts.plan.pruned else 0
    for index in range(len(messages) - 2, first - 1, -1):
        if field_of(messages[index], "role") == "user":
            last = len(blocks_of(messages[index])) - 1
            return in_messages(index, last) if last >= 0 else None
    return None
