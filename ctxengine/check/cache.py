"""Rules on cache marks: the caller's in system, tools and messages, the automatic one, and the plan's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctxengine.check.asked import forces_tool, in_thread, inside
from ctxengine.check.marks import (
    Sent,
    automatic_mark,
    end_of,
    mark_at_end,
    marks_of,
    place_of,
    slots_of,
)
from ctxengine.check.planned import asks_for_cache, compactions, only_caller_caches
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import BEDROCK, COMPACTION, ISSUES, PROMPT_CACHING, SDK, THREADS
from ctxengine.conversation import AT_END, THINKING, field_of, in_system, positions_between, previous_tail
from ctxengine.findings import Place
from ctxengine.plan.values import SESSION_MODES

CLOCK = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b\d\d:\d\d:\d\d\b")
"""A time of day to the minute or second, as it stands in a prompt made at that moment."""


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
    marks = slots_of(facts)
    if len(marks) > most:
        message = f"{len(marks)} blocks are marked with cache_control, where {facts.target.platform.title} takes {most}"
        yield Hit(message, place_of(marks[most].at))


@rule(
    "cache-max3-thread",
    "warning",
    "A thread's request uses the slot that was seen reserved.",
    help="mark fewer blocks in a thread",
    source=THREADS,
)
def cache_max3_thread(facts: Facts) -> Iterator[Hit]:
    safe = int(facts.catalog.limit("cache.slots_with_thread").at_most or 0)
    marks = slots_of(facts) if in_thread(facts) else []
    if safe < len(marks) <= facts.target.platform.cache_slots:
        message = (
            f"{len(marks)} blocks are marked with cache_control; with thread no more than {safe} are sure to be taken"
        )
        yield Hit(message, place_of(marks[safe].at))


@rule(
    "cache-ttl-order",
    "error",
    "A 5m cache mark stands before a 1h mark.",
    help="give the marks that come first, in the order tools, system, messages, the longer ttl",
    source=PROMPT_CACHING,
)
def cache_ttl_order(facts: Facts) -> Iterator[Hit]:
    short: Sent | None = None
    for mark in marks_of(facts):
        if mark.ttl == "5m":
            short = short or mark
        elif mark.ttl == "1h" and short:
            message = f"the 1h mark at {place_of(mark.at)} comes after the 5m mark at {place_of(short.at)}"
            yield Hit(message, place_of(mark.at))
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
        if mark.kind in THINKING:
            yield Hit(f"cache_control at {mark.at.path} stands on a {mark.kind} block", Place(mark.at.path))


@rule(
    "cache-auto-dup",
    "error",
    "Automatic caching, and the last block is marked with another ttl.",
    help="give both the same ttl, or leave one out",
    source=PROMPT_CACHING,
)
def cache_auto_dup(facts: Facts) -> Iterator[Hit]:
    automatic = automatic_mark(facts)
    explicit = mark_at_end(facts) if automatic else None
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
    if automatic_mark(facts) and target.platform_lacks("automatic_caching"):
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
    tail = previous_tail(facts.conversation.messages, facts.plan.first)
    if tail is None:
        return
    ends = (end_of(facts) if at == AT_END else at for at, _ in marks_of(facts))
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


SYSTEM_SEPARATE = "cache-system-separate"
SYSTEM_HELP = "mark the last system block, so that a compaction leaves it in the cache: cache.breakpoints system does"


@rule(
    SYSTEM_SEPARATE,
    "warning",
    "The policy compacts and caches, and gives the system prompt no mark of its own.",
    help=SYSTEM_HELP,
    source=COMPACTION,
    needs="policy",
)
def cache_system_separate(facts: Facts) -> Iterator[Hit]:
    policy = facts.plan.policy
    compacts = any(compactions(facts)) or policy.get("compaction.mode") in SESSION_MODES
    wanted = policy.get("cache.breakpoints", ())
    if asks_for_cache(facts) and compacts and "system" not in wanted:
        message = f"cache.breakpoints names {', '.join(wanted)}, not system: each compaction rewrites the system prompt"
        yield Hit(message, policy.origin("cache.breakpoints"))


@rule(
    SYSTEM_SEPARATE,
    "warning",
    "The request compacts and has cache marks of its own, none of them at the end of the system prompt.",
    help=SYSTEM_HELP,
    source=COMPACTION,
)
def cache_system_separate_as_given(facts: Facts) -> Iterator[Hit]:
    system = facts.conversation.system
    compacts = any(compactions(facts)) or facts.conversation.newest_block
    if not compacts or not system or not only_caller_caches(facts):
        return
    last = in_system(0 if isinstance(system, str) else len(system) - 1)
    if all(mark.at != last for mark in facts.conversation.marks):
        yield Hit(f"{last.path} is not marked: each compaction rewrites the system prompt", Place("system"))


@rule(
    "cache-volatile",
    "warning",
    "A time of day in a system prompt that is cached.",
    help="move the time behind the last mark, such as into the newest user message, or round it to the day",
    source=PROMPT_CACHING,
    estimated=True,
)
def cache_volatile(facts: Facts) -> Iterator[Hit]:
    marks = marks_of(facts)
    system = facts.conversation.system
    if not marks or not system:
        return
    blocks = [{"text": system}] if isinstance(system, str) else system
    for index, block in enumerate(blocks):
        text = field_of(block, "text")
        if in_system(index) <= marks[-1].at and isinstance(text, str) and CLOCK.search(text):
            where = in_system(index).path
            yield Hit(f"{where} holds a time of day before the mark at {place_of(marks[-1].at)}", Place(where))


@rule(
    "prewarm-illegal",
    "error",
    "A request with max_tokens 0, which fills the cache, has an argument that excludes it.",
    help="leave the argument out of the request that fills the cache",
    source=PROMPT_CACHING,
)
def prewarm_illegal(facts: Facts) -> Iterator[Hit]:
    if facts.request.get("max_tokens") != 0:
        return
    barred = {
        "stream": facts.surface == "stream" or bool(facts.request.get("stream")),
        "thinking": facts.target.thinking == "enabled",
        "output_config.format": inside(facts, "output_config.format") is not None,
        "output_format": facts.request.get("output_format") is not None,
        "tool_choice": forces_tool(facts),
    }
    for path in (path for path, present in barred.items() if present):
        yield Hit(f"max_tokens is 0, which excludes {path} as it is given", Place(path))
