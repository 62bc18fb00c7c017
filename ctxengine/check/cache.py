"""Rules on cache marks: the caller's in system, tools and messages, the automatic one, and the plan's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ctxengine.check.asked import argument, forces_tool, in_thread, inside
from ctxengine.check.planned import compactions
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import BEDROCK, COMPACTION, ISSUES, PROMPT_CACHING, SDK, THREADS
from ctxengine.conversation import (
    AT_END,
    UNMARKABLE,
    Mark,
    Position,
    blocks_of,
    field_of,
    in_messages,
    in_system,
    markable,
    positions_between,
)
from ctxengine.findings import Place

CLOCK = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b\d\d:\d\d:\d\d\b")
"""A time of day to the minute or second, as it stands in a prompt made at that moment."""
SESSION_MODES = ("on_demand", "background", "client")
"""Compaction modes that a session acts on."""


class _Sent(NamedTuple):
    at: Position
    ttl: str


def _marks(facts: Facts) -> list[_Sent]:
    """All marks that are sent, in prompt order."""
    theirs = (_Sent(mark.at, mark.ttl) for mark in facts.conversation.marks)
    ours = (_Sent(mark.at, mark.ttl) for mark in facts.plan.breakpoints)
    return sorted((*theirs, *ours))


def _automatic(facts: Facts) -> Mark | None:
    return next((mark for mark in facts.conversation.marks if mark.at == AT_END), None)


def _on_last_block(facts: Facts) -> _Sent | None:
    """The explicit mark on the block that an automatic one goes to."""
    last = _last_markable(facts, len(facts.conversation.messages) - 1)
    return next((mark for mark in _marks(facts) if mark.at == last), None)


def _last_markable(facts: Facts, index: int) -> Position | None:
    """The last block that may carry a mark, at or before a message."""
    first = facts.plan.pruned.first.index if facts.plan.pruned else 0
    for at in range(index, first - 1, -1):
        blocks = blocks_of(facts.conversation.messages[at])
        for block in range(len(blocks) - 1, -1, -1):
            if markable(blocks[block]):
                return in_messages(at, block)
    return None


def _slots(facts: Facts) -> list[_Sent]:
    """The marks that take a slot: an automatic one does not where the same mark stands there already."""
    marks = _marks(facts)
    automatic = _automatic(facts)
    same = _on_last_block(facts) if automatic else None
    return marks[:-1] if automatic and same and same.ttl == automatic.ttl else marks


@rule(
    "cache-max4",
    "error",
    "More cache marks than the platform takes.",
    help="remove marks; the end of the system prompt and the end of the conversation save most",
    source=PROMPT_CACHING,
)
def cache_max4(facts: Facts) -> Iterator[Hit]:
    most = facts.target.platform.cache_slots
    if len(facts.conversation.marks) + len(facts.plan.breakpoints) <= most:
        return
    marks = _slots(facts)
    if len(marks) > most:
        message = f"{len(marks)} blocks are marked with cache_control, where {facts.target.platform.title} takes {most}"
        yield Hit(message, _place(marks[most].at))


def _place(at: Position) -> Place:
    return Place("cache_control" if at == AT_END else at.path)


@rule(
    "cache-max3-thread",
    "warning",
    "A thread's request uses the slot that was seen reserved.",
    help="mark fewer blocks in a thread",
    source=THREADS,
)
def cache_max3_thread(facts: Facts) -> Iterator[Hit]:
    safe = int(facts.catalog.limit("cache.slots_with_thread").at_most or 0)
    marks = _slots(facts) if in_thread(facts) else []
    if safe < len(marks) <= facts.target.platform.cache_slots:
        message = (
            f"{len(marks)} blocks are marked with cache_control; with thread no more than {safe} are sure to be taken"
        )
        yield Hit(message, _place(marks[safe].at))


@rule(
    "cache-ttl-order",
    "error",
    "A 5m cache mark stands before a 1h mark.",
    help="give the marks that come first, in the order tools, system, messages, the longer ttl",
    source=PROMPT_CACHING,
)
def cache_ttl_order(facts: Facts) -> Iterator[Hit]:
    short: _Sent | None = None
    for mark in _marks(facts):
        if mark.ttl == "5m":
            short = short or mark
        elif mark.ttl == "1h" and short:
            message = f"the 1h mark at {_place(mark.at)} comes after the 5m mark at {_place(short.at)}"
            yield Hit(message, _place(mark.at))
            return


@rule(
    "cache-empty-text",
    "error",
    "A cache mark on a text block without text.",
    help="drop the empty block, or mark the one before it",
    source=ISSUES,
)
def cache_empty_text(facts: Facts) -> Iterator[Hit]:
    for mark in facts.conversation.marks:
        if mark.empty:
            yield Hit(f"cache_control at {mark.at.path} stands on an empty text block", Place(mark.at.path))


@rule(
    "cache-thinking",
    "error",
    "A cache mark on a thinking block.",
    help="mark the block after it",
    source=SDK,
)
def cache_thinking(facts: Facts) -> Iterator[Hit]:
    for mark in facts.conversation.marks:
        if mark.kind in UNMARKABLE:
            yield Hit(f"cache_control at {mark.at.path} stands on a {mark.kind} block", Place(mark.at.path))


@rule(
    "cache-auto-dup",
    "error",
    "Automatic caching, and the last block is marked with another ttl.",
    help="give both the same ttl, or leave one out",
    source=PROMPT_CACHING,
)
def cache_auto_dup(facts: Facts) -> Iterator[Hit]:
    automatic = _automatic(facts)
    explicit = _on_last_block(facts) if automatic else None
    if automatic and explicit and explicit.ttl != automatic.ttl:
        message = (
            f"the top-level cache_control ({automatic.ttl}) falls on {explicit.at.path}, marked with {explicit.ttl}"
        )
        yield Hit(message, Place("cache_control"))


@rule(
    "cache-auto-bedrock",
    "error",
    "Automatic caching with a model that does not have it on this platform.",
    help="mark the last block of the conversation instead: cache.breakpoints last_message does",
    source=BEDROCK,
)
def cache_auto_bedrock(facts: Facts) -> Iterator[Hit]:
    target = facts.target
    if _automatic(facts) and target.platform.supports("automatic_caching", target.model) is False:
        message = f"{target.platform.title} refuses a top-level cache_control with {target.model}"
        yield Hit(message, Place("cache_control"))


@rule(
    "cache-lookback",
    "warning",
    "The end of the previous request is out of the reach of this request's cache marks.",
    help="mark the end of the user message before the last one too: cache.breakpoints last_message does",
    source=PROMPT_CACHING,
)
def cache_lookback(facts: Facts) -> Iterator[Hit]:
    tail = _previous_tail(facts)
    if tail is None:
        return
    ends = (
        _last_markable(facts, len(facts.conversation.messages) - 1) if at == AT_END else at for at, _ in _marks(facts)
    )
    nearest = min((at for at in ends if at and at.section == tail.section and at >= tail), default=None)
    reach = int(facts.catalog.limit("cache.lookback").at_most or 0)
    if nearest is None:
        return
    # where it is unknown whether runs count once, a warning needs the shorter count
    runs = facts.target.platform.features.get("lookback_collapses_runs") is not False
    found = positions_between(facts.conversation.messages, tail, nearest, collapse_runs=runs, enough=reach + 1)
    if found > reach:
        message = f"more than {reach} positions lie between {tail.path}, where the last request ended, and the mark"
        yield Hit(f"{message} at {nearest.path}: nothing in between is read from the cache", Place(nearest.path))


def _previous_tail(facts: Facts) -> Position | None:
    """The end of the newest user message before the last message: where the request before this one ended."""
    messages = facts.conversation.messages
    first = facts.plan.pruned.first.index if facts.plan.pruned else 0
    for index in range(len(messages) - 2, first - 1, -1):
        if field_of(messages[index], "role") == "user":
            last = len(blocks_of(messages[index])) - 1
            return in_messages(index, last) if last >= 0 else None
    return None


@rule(
    "cache-system-separate",
    "warning",
    "Compaction and caching are on, and the end of the system prompt has no mark of its own.",
    help="mark the last system block, so that a compaction leaves it in the cache: cache.breakpoints system does",
    source=COMPACTION,
    needs="policy",
)
def cache_system_separate(facts: Facts) -> Iterator[Hit]:
    conversation, plan = facts.conversation, facts.plan
    if not _compacts(facts) or (conversation.messages and not conversation.system):
        return
    wanted = plan.policy.get("cache.breakpoints") if plan.mode == "enforce" else None
    if conversation.messages and _system_is_marked(facts):
        return
    if wanted and "system" not in wanted:
        message = (
            f"cache.breakpoints names {', '.join(wanted)} without system: each compaction rewrites the system prompt"
        )
        yield Hit(message, plan.policy.origin("cache.breakpoints"))
    elif not wanted and conversation.marks:
        yield Hit("the last system block is not marked: each compaction rewrites the system prompt", Place("system"))


def _compacts(facts: Facts) -> bool:
    if any(compactions(facts)) or facts.conversation.newest_block:
        return True
    return facts.plan.mode == "enforce" and facts.plan.policy.get("compaction.mode") in SESSION_MODES


def _system_is_marked(facts: Facts) -> bool:
    system = facts.conversation.system
    blocks = 1 if isinstance(system, str) else len(system)
    return any(at == in_system(blocks - 1) for at, _ in _marks(facts))


@rule(
    "cache-volatile",
    "warning",
    "A time of day in a system prompt that is cached.",
    help="move the time behind the last mark, such as into the newest user message, or round it to the day",
    source=PROMPT_CACHING,
    estimated=True,
)
def cache_volatile(facts: Facts) -> Iterator[Hit]:
    marks = _marks(facts)
    system = facts.conversation.system
    if not marks or not system:
        return
    blocks = [{"text": system}] if isinstance(system, str) else system
    for index, block in enumerate(blocks):
        text = field_of(block, "text")
        if in_system(index) <= marks[-1].at and isinstance(text, str) and CLOCK.search(text):
            where = in_system(index).path
            yield Hit(f"{where} holds a time of day before the mark at {_place(marks[-1].at)}", Place(where))


@rule(
    "prewarm-illegal",
    "error",
    "A request with max_tokens 0, which fills the cache, has an argument that excludes it.",
    help="leave the argument out of the request that fills the cache",
    source=PROMPT_CACHING,
)
def prewarm_illegal(facts: Facts) -> Iterator[Hit]:
    if argument(facts, "max_tokens") != 0:
        return
    barred = {
        "stream": facts.surface == "stream" or bool(argument(facts, "stream")),
        "thinking": facts.target.thinking == "enabled",
        "output_config.format": inside(facts, "output_config.format") is not None,
        "output_format": argument(facts, "output_format") is not None,
        "tool_choice": forces_tool(facts),
    }
    for path in (path for path, present in barred.items() if present):
        yield Hit(f"max_tokens is 0, which excludes {path} as it is given", Place(path))
