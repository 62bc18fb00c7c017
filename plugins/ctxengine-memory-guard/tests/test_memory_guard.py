"""The plugin in an engine of its own, on small requests."""

from __future__ import annotations

from typing import Any

import ctxengine_memory_guard as memory_guard
import pytest

from ctxengine import Engine

CLEAR = "clear_tool_uses_20250919"
MEMORY = {"type": "memory_20250818", "name": "memory"}
OWN = {"name": "memory", "input_schema": {"type": "object"}}
SEARCH = {"name": "search", "input_schema": {"type": "object"}}


def plan(policy: dict[str, Any], *tools: dict[str, Any], text: str = "Hello", turns: int = 0) -> Any:
    engine = Engine.from_policy({"version": "1", **policy}, plugins=[memory_guard])
    return engine.plan(model="claude-opus-4-6", max_tokens=1024, tools=list(tools), messages=messages(text, turns))


def messages(text: str, turns: int) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = [{"role": "user", "content": text}]
    for turn in range(turns):
        use = {"type": "tool_use", "id": f"t{turn}", "name": "search", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": "found"}
        history += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    return history


def excluded(plan: Any) -> list[str]:
    return list(plan.edit(CLEAR).params.get("exclude_tools") or ())


def due(plan: Any) -> bool:
    return any(finding.rule == "memory-clearing-due" for finding in plan.report)


@pytest.mark.parametrize("tool", [MEMORY, OWN], ids=["the API's", "the caller's"])
def test_memory_tool_is_excluded_from_clearing(tool: dict[str, Any]) -> None:
    """A memory tool's results stay, whether the tool is the API's or the caller's own, and the plugin is the origin."""
    made = plan({"edits": [{"type": CLEAR}]}, SEARCH, tool)
    assert excluded(made) == ["memory"]
    assert made.policy.origin(f"edits.{CLEAR}.exclude_tools.0").source == "plugin memory-guard"


def test_the_policy_s_own_exclusions_stay() -> None:
    """The memory tool joins what the policy excludes."""
    made = plan({"edits": [{"type": CLEAR, "exclude_tools": ["search"]}]}, SEARCH, MEMORY)
    assert sorted(excluded(made)) == ["memory", "search"]


def test_nothing_without_a_memory_tool() -> None:
    """Without a memory tool there is nothing to keep."""
    assert excluded(plan({"edits": [{"type": CLEAR}]}, SEARCH)) == []


def test_no_edit_of_its_own() -> None:
    """A policy that does not clear gets no edit."""
    assert plan({}, MEMORY).edits == ()


def test_warns_near_the_trigger_in_tokens() -> None:
    """The warning comes with the conversation's size, not before."""
    policy = {"edits": [{"type": CLEAR, "trigger": {"type": "input_tokens", "value": 20_000}}]}
    assert not due(plan(policy, MEMORY))
    assert due(plan(policy, MEMORY, text="word and word " * 20_000))


def test_warns_near_the_trigger_in_tool_uses() -> None:
    """A trigger in tool uses is compared with the tool uses of the conversation."""
    policy = {"edits": [{"type": CLEAR, "trigger": {"type": "tool_uses", "value": 10}}]}
    assert not due(plan(policy, SEARCH, MEMORY, turns=8))
    assert due(plan(policy, SEARCH, MEMORY, turns=9))


def test_the_default_trigger_counts() -> None:
    """Without a trigger the API's own, of the catalog, is what clearing waits for."""
    assert due(plan({"edits": [{"type": CLEAR}]}, MEMORY, text="word and word " * 60_000))


def test_no_warning_without_a_memory_tool() -> None:
    """Where there is nothing to save notes with, the warning would be no help."""
    policy = {"edits": [{"type": CLEAR, "trigger": {"type": "tool_uses", "value": 2}}]}
    assert not due(plan(policy, SEARCH, turns=5))


def test_a_malformed_trigger_is_not_the_plugin_s_failure() -> None:
    """A request that is no use to the API is left to the engine's own rules."""
    engine = Engine.from_policy({"version": "1", "mode": "off"}, plugins=[memory_guard])
    edits = {"edits": [{"type": CLEAR, "trigger": "soon"}]}
    report = engine.plan(
        model="claude-opus-4-6", max_tokens=1024, tools=[MEMORY], messages=messages("Hi", 0), context_management=edits
    ).report
    assert not any(finding.rule == "plugin-failed" for finding in report)
