"""Rules on the edit that clears tool results: its amounts, and the tools it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ctxengine.check.planned import (
    INPUT_TOKENS,
    MEMORY_TYPES,
    TOOL_USES,
    all_named,
    amount,
    asked,
    asks_for_cache,
    input_trigger,
    limit_of,
    only_caller_caches,
    outside,
    tool_edits,
)
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import CONTEXT_EDITING, MEMORY_TOOL, OBSERVED, PROMPT_CACHING, SDK
from ctxengine.edits.shapes import EXTRA, shape_of
from ctxengine.findings import shown

TOOL_AMOUNTS = {"trigger": (INPUT_TOKENS, TOOL_USES), "keep": (TOOL_USES,), "clear_at_least": (INPUT_TOKENS,)}
"""Field of an edit that clears tool results → the kinds of amount it takes."""


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
            if shape_of(written, field) == EXTRA:
                yield Hit(f"{field} of {edit.type} has more in it than a type and a value", asked(edit, field))
            elif number is None or number.kind not in kinds:
                yield Hit(f"{field} of {edit.type} is no whole number of {' or '.join(kinds)}", asked(edit, field))
            elif broken := outside(limit_of(facts, edit, field), number.value):
                yield Hit(f"{field} of {edit.type} is {number.value:,}; it {broken}", asked(edit, field))


def _is_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


SHAPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "clear_tool_inputs": (
        "true, false or a list of tool names",
        lambda value: isinstance(value, bool) or _is_names(value),
    ),
    "exclude_tools": ("a list of tool names", _is_names),
    "instructions": ("text", lambda value: isinstance(value, str)),
    "pause_after_compaction": ("true or false", lambda value: isinstance(value, bool)),
}
"""Fields of edits that are no amounts: what they hold, and the test of it."""


@rule(
    "edit-inputs-type",
    "error",
    "A field of an edit, such as `clear_tool_inputs` or `exclude_tools`, holds a value of the wrong type.",
    help="write what the message names",
    source=SDK,
)
def edit_inputs_type(facts: Facts) -> Iterator[Hit]:
    for edit in facts.plan.edits:
        for field in edit.params.keys() & SHAPES.keys():
            expected, fits = SHAPES[field]
            if edit.params[field] is not None and not fits(edit.params[field]):
                yield Hit(f"{field} of {edit.type} is not {expected}", asked(edit, field))


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
        # an amount that is relative to prices nobody knows yet has been asked for all the same
        if facts.plan.policy.get(f"edits.{edit.type}.clear_at_least", edit.params.get("clear_at_least")) is None:
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
