"""Keeps the memory tool's results from being cleared, and warns when clearing is due, so that notes are saved first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ctxengine.check import Facts, Hit, Rule, rule
from ctxengine.conversation import Conversation, blocks_of, field_of
from ctxengine.extension import hookimpl
from ctxengine.plan import PlannedEdit
from ctxengine.policy import Resolved

name = "memory-guard"

CLEARS_TOOLS = "clear_tool_uses_"
"""What the type of every edit that clears tool results begins with; a date follows."""
DUE_AT = 0.9
"""Share of the trigger from which clearing counts as due: room for about one more turn to save notes in."""


@hookimpl
def ctxengine_contribute_edits(conversation: Conversation, policy: Resolved) -> list[dict[str, Any]]:
    """Exclude the memory tool from every edit of the policy that clears tool results."""
    tools = memory_tools(conversation)
    edits = [edit for edit in policy.get("edits", {}) if edit.startswith(CLEARS_TOOLS)] if tools else []
    return [{"type": edit, "exclude_tools": tools} for edit in edits]


@hookimpl
def ctxengine_contribute_rules() -> list[Rule]:
    return [clearing_due]


@rule(
    "memory-clearing-due",
    "warning",
    "The conversation is close to where tool results are cleared, and there is a memory tool to save notes with.",
    help="have the model save what it needs from earlier results now; what is cleared is gone from its context",
    source="https://platform.claude.com/docs/en/agents-and-tools/tool-use/memory-tool",
    estimated=True,
)
def clearing_due(facts: Facts) -> Iterator[Hit]:
    """Reads the sizes and, for a trigger in tool uses, the messages: hence only where estimates are judged."""
    if not memory_tools(facts.conversation):
        return
    for edit in facts.plan.edits:
        kind, trigger = trigger_of(facts, edit)
        if not edit.type.startswith(CLEARS_TOOLS) or trigger < 1:
            continue
        now, unit = (tool_uses(facts), "tool uses") if kind == "tool_uses" else (facts.size.tokens, "input tokens")
        if now >= DUE_AT * trigger:
            yield Hit(f"clearing is due: about {now:,} {unit}, and it starts at {trigger:,}", edit.origin)


def memory_tools(conversation: Conversation) -> list[str]:
    """Names of the memory tools among the request's tools: by type, or one of the caller's own called ``memory``."""
    return [name for name, kind in conversation.tool_kinds if kind.startswith("memory_") or name == "memory"]


def trigger_of(facts: Facts, edit: PlannedEdit) -> tuple[str, int]:
    """Kind and value of the edit's trigger, or of the API's default; 0 where it is unknown or no trigger at all."""
    fact = facts.catalog.edits.get(edit.type)
    trigger = fact.effective(edit.params, "trigger") if fact else edit.params.get("trigger")
    kind, value = field_of(trigger, "type"), field_of(trigger, "value")
    return str(kind), value if isinstance(value, int) else 0


def tool_uses(facts: Facts) -> int:
    messages = facts.conversation.messages[facts.plan.first.index :]
    return sum(field_of(block, "type") == "tool_use" for message in messages for block in blocks_of(message))
