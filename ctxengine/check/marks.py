"""What rules ask about cache marks: the caller's, the automatic one and the plan's own, as they are sent."""

from __future__ import annotations

from typing import NamedTuple

from ctxengine.check.rule import Facts
from ctxengine.conversation import AT_END, Mark, Position, last_markable
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
    last = end_of(facts)
    return next((mark for mark in marks_of(facts) if mark.at == last), None)


def end_of(facts: Facts) -> Position | None:
    """The block that an automatic mark goes to."""
    messages = facts.conversation.messages
    return last_markable(messages, facts.plan.first, len(messages) - 1)


def slots_of(facts: Facts) -> list[Sent]:
    """The marks that take a slot: an automatic one does not where the same mark stands there already."""
    marks = marks_of(facts)
    automatic = automatic_mark(facts)
    same = mark_at_end(facts) if automatic else None
    return marks[:-1] if automatic and same and same.ttl == automatic.ttl else marks


def place_of(at: Position) -> Place:
    return Place("cache_control" if at == AT_END else at.path)
