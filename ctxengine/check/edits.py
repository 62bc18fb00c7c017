"""Rules on the edits: their order, their fields, and how they get along with each other and with the tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.catalog.rows import did_you_mean, shown
from ctxengine.check.planned import (
    INPUT_TOKENS,
    MEMORY_TYPES,
    TOOL_USES,
    all_named,
    amount,
    asked,
    asks_for_cache,
    compactions,
    compacts,
    fact_of,
    input_trigger,
    limit_of,
    only_caller_caches,
    outside,
    thinking_edits,
    tool_edits,
)
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, CONTEXT_EDITING, COOKBOOK, MEMORY_TOOL, OBSERVED, PROMPT_CACHING, SDK
from ctxengine.findings import Place, Severity

TOOL_AMOUNTS = {"trigger": (INPUT_TOKENS, TOOL_USES), "keep": (TOOL_USES,), "clear_at_least": (INPUT_TOKENS,)}
"""Field of an edit that clears tool results → the kinds of amount it takes."""
KEEP_ALL = ("all", {"type": "all"})


@rule(
    "edit-unknown",
    "error",
    "An edit's type is unknown, or it has a field that the type does not have.",
    help="correct the name; a new edit type needs a row in a catalog overlay, or a plugin that registers it",
    source=CONTEXT_EDITING,
)
def edit_unknown(facts: Facts) -> Iterator[Hit]:
    for index, edit in enumerate(facts.request.edits):
        fields = edit if isinstance(edit, Mapping) else {}
        for problem in _unknown(facts, fields.get("type"), fields):
            yield Hit(problem, Place(f"context_management.edits.{index}"))
    for planned in facts.plan.edits:
        if planned.origin.source != "request":
            for problem in _unknown(facts, planned.type, planned.params):
                yield Hit(problem, planned.origin)
    for key in facts.request.context_management:
        if key != "edits":
            yield Hit(f"context_management takes edits alone, not {shown(str(key))}", Place("context_management"))


def _unknown(facts: Facts, kind: Any, fields: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(kind, str):
        yield "an edit has no type"
    elif kind not in facts.catalog.edits:
        yield f"there is no edit {shown(kind)}; {did_you_mean(kind, facts.catalog.edits)}"
    else:
        known = facts.catalog.edits[kind].parameters
        for key in fields:
            if key != "type" and key not in known:
                yield f"{kind} has no field {shown(str(key))}; {did_you_mean(str(key), known)}"


@rule(
    "edit-thinking-first",
    "error",
    "The edit that clears thinking is not the first.",
    help="put it first: the API answers that it must be the first strategy",
    source=CONTEXT_EDITING,
)
def edit_thinking_first(facts: Facts) -> Iterator[Hit]:
    for edit in thinking_edits(facts):
        at = facts.plan.edits.index(edit)
        if at:
            yield Hit(f"{edit.type} stands at index {at}; it must be the first edit", edit.origin)


@rule(
    "edit-thinking-keep-explicit",
    "warning",
    "Thinking is cleared without saying how much of it to keep.",
    help='write keep: a number of thinking_turns, or "all"',
    source=CONTEXT_EDITING,
    needs="policy",
)
def edit_thinking_keep_explicit(facts: Facts) -> Iterator[Hit]:
    for edit in thinking_edits(facts):
        if edit.params.get("keep") is None:
            yield Hit(
                f"{edit.type} has no keep, whose default differs between models: all turns, or the last one only",
                edit.origin,
            )


@rule(
    "edit-thinking-keep-n",
    "error",
    "The number of thinking turns to keep is no whole number, or below 1.",
    help='keep at least one of the thinking_turns, or "all"',
    source=CONTEXT_EDITING,
    needs="policy",
)
def edit_thinking_keep_n(facts: Facts) -> Iterator[Hit]:
    for edit in thinking_edits(facts):
        keep = edit.params.get("keep")
        if keep is None or keep in KEEP_ALL:
            continue
        turns = amount(keep)
        if turns is None or turns.kind != "thinking_turns":
            yield Hit(f'keep of {edit.type} is neither a whole number of thinking_turns nor "all"', asked(edit, "keep"))
        elif broken := outside(limit_of(facts, edit, "keep"), turns.value):
            yield Hit(f"{edit.type} keeps {turns.value:,} thinking turns; it {broken}", asked(edit, "keep"))


@rule(
    "edit-compact-min",
    "error",
    "The compaction trigger is below the API's minimum.",
    help="raise the trigger; for smaller conversations compact on demand, which has no minimum",
    source=COMPACTION,
    needs="policy",
)
def edit_compact_min(facts: Facts) -> Iterator[Hit]:
    for edit in compactions(facts):
        trigger = input_trigger(facts, edit)
        broken = outside(limit_of(facts, edit, "trigger"), trigger) if trigger is not None else ""
        if broken:
            yield Hit(f"the compaction trigger is {trigger:,} tokens; it {broken}", asked(edit, "trigger"))


@rule(
    "edit-compact-kind",
    "error",
    "The compaction trigger is no amount of input tokens.",
    help="write the trigger as a whole number of input_tokens",
    source=SDK,
    needs="policy",
)
def edit_compact_kind(facts: Facts) -> Iterator[Hit]:
    for edit in compactions(facts):
        written = edit.params.get("trigger")
        trigger = amount(written)
        if written is not None and (trigger is None or trigger.kind != INPUT_TOKENS):
            yield Hit(f"the trigger of {edit.type} is no whole number of input_tokens", asked(edit, "trigger"))


@rule(
    "edit-compact-order",
    "warning",
    "Compaction comes before an edit that clears; before one that clears thinking it is an error.",
    help="put the compaction edit last, so that it summarises only what clearing left",
    source=COOKBOOK,
)
def edit_compact_order(facts: Facts) -> Iterator[Hit]:
    edits = facts.plan.edits
    for edit in compactions(facts):
        later = [
            (one, fact)
            for one in edits[edits.index(edit) + 1 :]
            if (fact := fact_of(facts, one)) and not compacts(fact)
        ]
        if later:
            before = ", ".join(one.type for one, _ in later)
            severity: Severity | None = "error" if any(fact.needs_thinking for _, fact in later) else None
            yield Hit(
                f"{edit.type} comes before {before}, which then clears what is summarised already",
                edit.origin,
                severity,
            )


@rule(
    "edit-trigger-ladder",
    "warning",
    "Tool results are cleared no earlier than the conversation is compacted.",
    help="clear tool results at a lower trigger than the compaction's",
    source=COOKBOOK,
    needs="policy",
)
def edit_trigger_ladder(facts: Facts) -> Iterator[Hit]:
    triggers = [trigger for edit in compactions(facts) if (trigger := input_trigger(facts, edit)) is not None]
    for edit in tool_edits(facts):
        clears = input_trigger(facts, edit)
        if clears is not None and triggers and clears >= min(triggers):
            message = f"{edit.type} clears above {clears:,} tokens, but compaction comes at {min(triggers):,}"
            yield Hit(f"{message}: clearing seldom gets its turn", asked(edit, "trigger"))


@rule(
    "edit-keep-neg",
    "error",
    "A trigger, keep or clear_at_least of the edit that clears tool results is negative or has the wrong shape.",
    help="write an object with a type the field takes and a whole number as value, within the API's bounds",
    source=CONTEXT_EDITING,
    needs="policy",
)
def edit_keep_neg(facts: Facts) -> Iterator[Hit]:
    for edit in tool_edits(facts):
        for field, kinds in TOOL_AMOUNTS.items():
            written = edit.params.get(field)
            if written is None:
                continue
            number = amount(written)
            if number is None or number.kind not in kinds:
                yield Hit(f"{field} of {edit.type} is no whole number of {' or '.join(kinds)}", asked(edit, field))
            elif broken := outside(limit_of(facts, edit, field), number.value):
                yield Hit(f"{field} of {edit.type} is {number.value:,}; it {broken}", asked(edit, field))


@rule(
    "edit-inputs-type",
    "error",
    "`clear_tool_inputs` is neither true or false nor a list of tool names.",
    help="write true, false, or the names of the tools whose inputs go too",
    source=SDK,
)
def edit_inputs_type(facts: Facts) -> Iterator[Hit]:
    for edit in tool_edits(facts):
        inputs = edit.params.get("clear_tool_inputs")
        names = isinstance(inputs, (list, tuple)) and all(isinstance(name, str) for name in inputs)
        if inputs is not None and not isinstance(inputs, bool) and not names:
            yield Hit(
                f"clear_tool_inputs of {edit.type} is neither true or false nor a list of names",
                asked(edit, "clear_tool_inputs"),
            )


@rule(
    "edit-clear-at-least-unreachable",
    "warning",
    "As much must be freed as the whole prompt holds when the edit is triggered.",
    help="ask for less than the trigger, or leave it to break_even",
    source=CONTEXT_EDITING,
    needs="policy",
)
def edit_clear_at_least_unreachable(facts: Facts) -> Iterator[Hit]:
    for edit in tool_edits(facts):
        trigger, least = input_trigger(facts, edit), amount(edit.params.get("clear_at_least"))
        if trigger is not None and least and least.value >= trigger:
            message = f"{edit.type} must free {least.value:,} tokens, but acts above {trigger:,}"
            yield Hit(f"{message}: there it clears nothing, and says nothing", asked(edit, "clear_at_least"))


LEAST_MISSING = "edit-clear-at-least-missing"
LEAST_HELP = "set clear_at_least, best to break_even with the number of requests you expect to follow"


@rule(
    LEAST_MISSING,
    "warning",
    "The policy has prompts cached, but any small clearing may rewrite the cache.",
    help=LEAST_HELP,
    source=PROMPT_CACHING,
    needs="policy",
)
def clear_at_least_missing(facts: Facts) -> Iterator[Hit]:
    if asks_for_cache(facts):
        yield from _without_least(facts)


@rule(
    LEAST_MISSING,
    "warning",
    "The request has cache marks of its own, but any small clearing may rewrite the cache.",
    help=LEAST_HELP,
    source=PROMPT_CACHING,
)
def clear_at_least_missing_for_marks(facts: Facts) -> Iterator[Hit]:
    if only_caller_caches(facts):
        yield from _without_least(facts)


def _without_least(facts: Facts) -> Iterator[Hit]:
    for edit in tool_edits(facts):
        if edit.params.get("clear_at_least") is None:
            message = f"{edit.type} has no clear_at_least: each small clearing rewrites the cache from the cut on"
            yield Hit(message, edit.origin)


@rule(
    "edit-exclude-unknown",
    "warning",
    "`exclude_tools` names a tool that the request does not have.",
    help="correct the name, or take it out",
    source=CONTEXT_EDITING,
)
def edit_exclude_unknown(facts: Facts) -> Iterator[Hit]:
    if not all_named(facts):
        return
    names = {name for name, _ in facts.conversation.tool_kinds}
    for edit in tool_edits(facts):
        for name in _excluded(edit.params):
            if name not in names:
                yield Hit(
                    f"exclude_tools names {shown(name)}, which none of the request's {len(names)} tool(s) is",
                    asked(edit, "exclude_tools"),
                )


@rule(
    "edit-exclude-memory",
    "warning",
    "The memory tool is there, but its results may be cleared.",
    help="add the memory tool's name to exclude_tools, or use the memory-guard plugin",
    source=MEMORY_TOOL,
)
def edit_exclude_memory(facts: Facts) -> Iterator[Hit]:
    memory = [name for name, kind in facts.conversation.tool_kinds if kind.startswith(MEMORY_TYPES)]
    for edit in tool_edits(facts):
        for name in memory:
            if name not in _excluded(edit.params):
                yield Hit(
                    f"{edit.type} may clear what {shown(name)}, the memory tool, returned", asked(edit, "exclude_tools")
                )


@rule(
    "edit-exclude-all",
    "warning",
    "Every tool is excluded from clearing, so the edit can clear nothing.",
    help="leave some tools to be cleared, or drop the edit",
    source=OBSERVED,
)
def edit_exclude_all(facts: Facts) -> Iterator[Hit]:
    if not all_named(facts):
        return
    names = {name for name, _ in facts.conversation.tool_kinds}
    for edit in tool_edits(facts):
        if names <= set(_excluded(edit.params)):
            yield Hit(f"{edit.type} excludes all {len(names)} tool(s) of the request", asked(edit, "exclude_tools"))


def _excluded(params: Mapping[str, Any]) -> list[str]:
    names = params.get("exclude_tools")
    return [name for name in names if isinstance(name, str)] if isinstance(names, (list, tuple)) else []
