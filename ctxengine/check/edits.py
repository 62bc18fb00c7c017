"""Rules on the edits: their types and order, the clearing of thinking, and compaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.check.planned import (
    INPUT_TOKENS,
    amount,
    asked,
    compactions,
    compacts,
    fact_of,
    input_trigger,
    limit_of,
    outside,
    thinking_edits,
    tool_edits,
)
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, CONTEXT_EDITING, COOKBOOK, SDK
from ctxengine.findings import Place, Severity, did_you_mean, shown

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
        for key, problem in _unknown(facts, fields.get("type"), fields):
            path = f"context_management.edits.{index}"
            yield Hit(problem, Place(f"{path}.{key}" if key else path))
    for planned in facts.plan.edits:
        if planned.origin.source != "request":
            for _, problem in _unknown(facts, planned.type, planned.params):
                yield Hit(problem, planned.origin)
    for key in facts.request.context_management:
        if key != "edits":
            yield Hit(f"context_management takes edits alone, not {shown(str(key))}", Place("context_management"))


def _unknown(facts: Facts, kind: Any, fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The unknown field, "" where it is the type, and what to say of it."""
    if not isinstance(kind, str):
        yield "", "an edit has no type"
    elif kind not in facts.catalog.edits:
        yield "", f"there is no edit {shown(kind)}; {did_you_mean(kind, facts.catalog.edits)}"
    else:
        known = facts.catalog.edits[kind].parameters
        for key in fields:
            if key != "type" and key not in known:
                yield str(key), f"{kind} has no field {shown(str(key))}; {did_you_mean(str(key), known)}"


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
    "error",
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
            severity: Severity = "error" if any(fact.needs_thinking for _, fact in later) else "warning"
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
