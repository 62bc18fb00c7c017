"""What rules ask about the edits of a plan. Edits are told apart by their catalog rows, never by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeGuard

from ctxengine.catalog.facts import THRESHOLD_COMPACTION, EditFact, Limit
from ctxengine.check.rule import Facts
from ctxengine.origin import Origin
from ctxengine.plan import PlannedEdit

INPUT_TOKENS, TOOL_USES = "input_tokens", "tool_uses"
MEMORY_TYPES = "memory_"
"""How the types of the API's memory tool begin."""

UNSEEN = frozenset({"tools", "mcp_servers"})
"""Arguments that ``extra_body`` may replace by others."""


class Amount(NamedTuple):
    """A trigger, ``keep`` or ``clear_at_least`` of an edit."""

    kind: str
    value: int


def fact_of(facts: Facts, edit: PlannedEdit) -> EditFact | None:
    return facts.catalog.edits.get(edit.type)


def thinking_edits(facts: Facts) -> Iterator[PlannedEdit]:
    """The edits that clear thinking."""
    return (edit for edit in facts.plan.edits if (fact := fact_of(facts, edit)) and fact.needs_thinking)


def tool_edits(facts: Facts) -> Iterator[PlannedEdit]:
    """The edits that clear tool results."""
    return (edit for edit in facts.plan.edits if (fact := fact_of(facts, edit)) and "exclude_tools" in fact.parameters)


def compactions(facts: Facts) -> Iterator[PlannedEdit]:
    """The edits that compact."""
    return (edit for edit in facts.plan.edits if compacts(fact_of(facts, edit)))


def compacts(fact: EditFact | None) -> bool:
    return fact is not None and fact.feature == THRESHOLD_COMPACTION


def amount(value: Any) -> Amount | None:
    """A written amount, ``None`` where it is none: another rule judges its shape."""
    if not isinstance(value, Mapping):
        return None
    kind, number = value.get("type"), value.get("value")
    return Amount(kind, number) if isinstance(kind, str) and is_whole(number) else None


def is_whole(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool)


def effective(facts: Facts, edit: PlannedEdit, field: str) -> Amount | None:
    """What counts for a field: what the edit says, else the API's default."""
    return _effective(edit, fact_of(facts, edit), field)


def _effective(edit: PlannedEdit, fact: EditFact | None, field: str) -> Amount | None:
    return amount(fact.effective(edit.params, field) if fact else edit.params.get(field))


def input_trigger(facts: Facts, edit: PlannedEdit) -> int | None:
    """The prompt size in tokens at which the edit acts, where it has such a trigger."""
    return acts_above(edit, fact_of(facts, edit))


def acts_above(edit: PlannedEdit, fact: EditFact | None) -> int | None:
    """The same, for an edit with its catalog row."""
    trigger = _effective(edit, fact, "trigger")
    return trigger.value if trigger and trigger.kind == INPUT_TOKENS else None


def asked(edit: PlannedEdit, field: str) -> Origin:
    """Who asked for a field, or for the edit where it does not have the field."""
    if field in edit.origins or field not in edit.params:
        return edit.origin_of(field)
    origin = edit.origin
    return replace(origin, path=f"{origin.path}.{field}") if origin.source == "request" and origin.path else origin


def limit_of(facts: Facts, edit: PlannedEdit, field: str) -> Limit | None:
    return facts.catalog.limits.get(f"{edit.type}.{field}")


def outside(limit: Limit | None, number: float) -> str:
    """How a number breaks a bound, such as "must be at least 1"; "" where it does not."""
    if limit is None:
        return ""
    if limit.at_least is not None and number < limit.at_least:
        return f"must be at least {limit.at_least:,g}"
    if limit.more_than is not None and not number > limit.more_than:
        return f"must be more than {limit.more_than:,g}"
    if limit.at_most is not None and number > limit.at_most:
        return f"must be at most {limit.at_most:,g}"
    return ""


def asks_for_cache(facts: Facts) -> bool:
    """Whether the policy has prompts cached."""
    return facts.plan.mode == "enforce" and bool(facts.plan.policy.get("cache.breakpoints"))


def only_caller_caches(facts: Facts) -> bool:
    """Whether prompts are cached by the caller's own marks, which only a request shows."""
    return bool(facts.conversation.marks) and not asks_for_cache(facts)


def all_named(facts: Facts) -> bool:
    """Whether every tool is there by name: toolsets, MCP servers and ``extra_body`` bring tools we cannot see."""
    tools, extra = facts.conversation.tool_kinds, facts.request.get("extra_body")
    elsewhere = facts.request.get("mcp_servers") or (isinstance(extra, Mapping) and not UNSEEN.isdisjoint(extra))
    return bool(tools) and all(name for name, _ in tools) and not elsewhere
