"""Pass ``place_breakpoints``: our cache marks, around the caller's.

The caller's marks are never moved or given another ttl. Slots go in ``SLOT_ORDER``; a mark stands on the last block
that may carry one, and never where the prefix is surely below the model's minimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ctxengine.catalog.facts import Ttl
from ctxengine.conversation import (
    AT_END,
    TOOLS,
    Conversation,
    Position,
    blocks_of,
    field_of,
    in_messages,
    in_system,
    in_tools,
    last_markable,
    last_tool,
    positions_between,
    previous_tail,
)
from ctxengine.origin import Origin
from ctxengine.plan.inputs import CompileInput
from ctxengine.plan.plan import Breakpoint, Plan, Unplaced

At = TypeVar("At", int, Position)
NO_BLOCK = "no block can carry a mark: empty text, thinking or unknown"
GIVES_WAY: Mapping[Ttl, str] = {
    "5m": "5m, since a 5m mark of the caller stands before it",
    "1h": "1h, since a 1h mark comes after it",
}
SLOT_ORDER = ("last_message", "system", "compaction_block", "previous_tail", "tools")


def place_breakpoints(plan: Plan, given: CompileInput) -> Plan:
    """Mark what the policy names under ``cache.breakpoints``, then what plugins ask for, while slots last."""
    wanted = set(plan.policy.get("cache.breakpoints", ()))
    if not wanted and not given.extra_breakpoints:
        return plan
    return _Placing(plan, given).done(wanted)


class _Placing:
    def __init__(self, plan: Plan, given: CompileInput) -> None:
        self.plan, self.given = plan, given
        self.first = plan.first
        self.facts: Conversation = given.conversation.since(plan.first) if plan.pruned else given.conversation
        self.end = last_markable(self.facts.messages, self.first, len(self.facts.messages) - 1)
        self.taken = {mark.at for mark in self.facts.marks}
        if AT_END in self.taken:
            self.taken |= {self.end or AT_END}  # where the automatic mark lands
        self.free = given.target.platform.cache_slots - len(self.facts.marks)
        self.ttls: Mapping[str, Ttl] = plan.policy.get("cache.ttl", {})
        self.origin = plan.policy.origin("cache.breakpoints")
        self.placed: list[Breakpoint] = []
        self.unplaced: list[Unplaced] = []

    def done(self, wanted: set[str]) -> Plan:
        for place in SLOT_ORDER:
            if place in wanted or (place == "previous_tail" and "last_message" in wanted):
                self._place(place, *self._position(place))
        for extra in self.given.extra_breakpoints:
            self._place(f"plugin {extra.plugin}", extra.at, "the plugin asks for it", extra.ttl)
        return replace(self.plan, breakpoints=self._with_ordered_ttls(), unplaced=tuple(self.unplaced))

    def _place(self, place: str, at: Position | None, because: str, ttl: Ttl | None = None) -> None:
        against = because if at is None else self._obstacle(at)
        if at is None or against:
            self.unplaced += [Unplaced(place, against)] if against else []
            return
        self.free -= 1
        self.taken.add(at)
        chosen = ttl or self.ttls.get("last_message" if place == "previous_tail" else place, "5m")
        self.placed.append(Breakpoint(place, at, chosen, self.origin if ttl is None else Origin(place), because))

    def _obstacle(self, at: Position) -> str:
        """Why a block cannot have a mark of ours, or ""."""
        if self.plan.pruned and at.section == self.first.section and at < self.first:
            return "it stands before the compaction block, and is not sent"
        if at in self.taken:
            return "this block is marked already"
        if at.section == TOOLS and not isinstance(self.given.request.tools[at.index], Mapping):
            return "a mark would replace this runnable tool: make it with cache_control"
        if self._below_minimum(at):
            return f"the prefix up to {at.path} is below the {self.given.target.min_cache:,} tokens the model caches"
        return "" if self.free > 0 else "all cache slots are taken"

    def _position(self, place: str) -> tuple[Position | None, str]:
        """Where a place is, or why it is nowhere; no reason where there is simply nothing of the kind."""
        return _FINDERS[place](self)

    def _tools(self) -> tuple[Position | None, str]:
        last = last_tool(self.facts.tools)
        return (None, "") if last is None else (in_tools(last), "the end of the tool definitions")

    def _system(self) -> tuple[Position | None, str]:
        system = self.facts.system
        if isinstance(system, str):
            return (in_system(0), "the end of the system prompt") if system else (None, "")
        for index in range(len(system or ()) - 1, -1, -1):
            if field_of(system[index], "text"):
                return in_system(index), "the end of the system prompt"
        return None, ""

    def _compaction_block(self) -> tuple[Position | None, str]:
        block = self.facts.newest_block
        return (block.at, "the newest compaction block") if block else (None, "")

    def _last_message(self) -> tuple[Position | None, str]:
        if AT_END in self.taken:
            return None, "the request's top-level cache_control marks the end already"
        return self.end, "the end of the conversation" if self.end else NO_BLOCK

    def _previous_tail(self) -> tuple[Position | None, str]:
        end, tail = self.end, previous_tail(self.facts.messages, self.first)
        if end is None or tail is None or not self._beyond_lookback(tail, end):
            return None, ""
        return tail, "the previous request's end is out of the cache's look-back"

    def _beyond_lookback(self, tail: Position, end: Position) -> bool:
        reach = int(self.given.catalog.limit("cache.lookback").at_most or 0)
        messages = self.facts.messages[tail.index : end.index + 1]
        if sum(len(blocks_of(message)) for message in messages) <= reach:
            return False
        collapse = self.given.target.platform.features.get("lookback_collapses_runs") is True
        return positions_between(self.facts.messages, tail, end, collapse_runs=collapse, enough=reach + 1) > reach

    def _below_minimum(self, at: Position) -> bool:
        minimum = self.given.target.min_cache
        if not minimum:
            return False
        key = ("cacheable from", at.section == TOOLS, minimum, self.given.target.model)
        reached = self.facts.memo.get(key)
        if reached is None:
            parts = self._tool_parts() if at.section == TOOLS else self._parts()
            reached = self.given.sizes.first_reaching(parts, minimum, self.given.target.facts)
            if reached is None and at.section > TOOLS:
                return True  # for now: messages may yet come to be enough
            self.facts.memo[key] = reached = reached or AT_END
        return at < reached

    def _tool_parts(self) -> Iterator[tuple[Position, Any]]:
        return ((in_tools(index), tool) for index, tool in enumerate(self.facts.tools))

    def _parts(self) -> Iterator[tuple[Position, Any]]:
        """The prompt's parts, each with the first position behind it. Tools come before the system prompt, and are
        counted after it: a long system prompt is often enough by itself, and its size costs nothing to know."""
        yield in_system(0), self.facts.system
        yield in_system(0), self.facts.tools
        for index in range(self.first.index, len(self.facts.messages)):
            yield in_messages(index, 0), self.facts.messages[index]

    def _with_ordered_ttls(self) -> tuple[Breakpoint, ...]:
        given = [(mark.at, mark.ttl) for mark in self.facts.marks]
        ttls = dict(ordered_ttls([(mark.at, mark.ttl) for mark in self.placed], given))
        return tuple(_with_ttl(mark, ttls[mark.at]) for mark in sorted(self.placed, key=lambda mark: mark.at))


def ordered_ttls(placed: Sequence[tuple[At, Ttl]], given: Sequence[tuple[At, str]]) -> list[tuple[At, Ttl]]:
    """Marks of ours in prompt order, the longest ttl first: they give way to the caller's, which are ``given``, and to
    our own later ones."""
    shorts = [at for at, ttl in given if ttl == "5m"]
    longs = [at for at, ttl in given if ttl == "1h"]
    made: list[tuple[At, Ttl]] = []
    for at, ttl in sorted(placed, reverse=True):
        behind_short = any(short < at for short in shorts)
        if ttl == "1h" and behind_short:
            ttl = "5m"
        elif ttl == "5m" and not behind_short and any(long > at for long in longs):
            ttl = "1h"
        if ttl == "1h":
            longs.append(at)
        made.append((at, ttl))
    return made[::-1]


def _with_ttl(mark: Breakpoint, ttl: Ttl) -> Breakpoint:
    if ttl == mark.ttl:
        return mark
    return replace(mark, ttl=ttl, because=f"{mark.because}; {GIVES_WAY[ttl]}")


_FINDERS = {
    "tools": _Placing._tools,
    "system": _Placing._system,
    "compaction_block": _Placing._compaction_block,
    "last_message": _Placing._last_message,
    "previous_tail": _Placing._previous_tail,
}
