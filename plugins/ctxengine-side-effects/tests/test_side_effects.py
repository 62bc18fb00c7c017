"""The plugin in an engine of its own: which tools it keeps, and what it says of settings."""

from __future__ import annotations

from typing import Any

import ctxengine_side_effects as side_effects
import pytest

from ctxengine import Engine

CLEAR = "clear_tool_uses_20250919"


def plan(config: dict[str, Any], *tools: dict[str, Any], edits: bool = True) -> Any:
    policy = {
        "version": "1",
        "plugins": {"config": {"side-effects": config}},
        "edits": [{"type": CLEAR}] if edits else [],
    }
    tools_given = [{"input_schema": {"type": "object"}, **tool} for tool in tools]
    engine = Engine.from_policy(policy, plugins=[side_effects])
    messages = [{"role": "user", "content": "Hello"}]
    return engine.plan(model="claude-opus-4-6", max_tokens=1024, tools=tools_given, messages=messages)


def kept(config: dict[str, Any], *tools: dict[str, Any]) -> list[str]:
    return sorted(plan(config, *tools).edit(CLEAR).params.get("exclude_tools") or ())


@pytest.mark.parametrize(
    "name", ["write_file", "createIssue", "DELETE", "send_mail", "publish", "deploy_app", "pay", "refund_order"]
)
def test_kept_by_name(name: str) -> None:
    """The default patterns know the usual verbs, in any letter case."""
    assert kept({}, {"name": name}, {"name": "search"}) == [name]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({"readOnlyHint": True}, []),
        ({"readOnlyHint": False}, ["send"]),
        ({"destructiveHint": True}, ["send"]),
        ({"destructiveHint": False}, ["send"]),
        ({}, ["send"]),
        ("nonsense", ["send"]),
    ],
)
def test_annotations_come_before_names(annotations: Any, expected: list[str]) -> None:
    """A tool that says it only reads is believed; hints that settle nothing leave it to the name."""
    assert kept({}, {"name": "send", "annotations": annotations}) == expected


def test_annotations_of_a_tool_with_a_harmless_name() -> None:
    """A destructive tool is kept whatever its name."""
    assert kept({}, {"name": "tidy", "annotations": {"destructiveHint": True}}) == ["tidy"]


def test_settings_come_first() -> None:
    """What the policy says of a tool stands over its annotations and its name."""
    config = {"tools": {"tidy": "side_effect", "create_plan": "safe", "scan": "side_effect"}}
    tools = ({"name": "tidy"}, {"name": "create_plan"}, {"name": "scan", "annotations": {"readOnlyHint": True}})
    assert kept(config, *tools) == ["scan", "tidy"]


def test_own_patterns_replace_the_default_ones() -> None:
    """A list of patterns is the whole list."""
    assert kept({"patterns": ["book_*"]}, {"name": "book_flight"}, {"name": "send"}) == ["book_flight"]


def test_no_patterns_match_nothing() -> None:
    """An empty list leaves it to settings and annotations."""
    assert kept({"patterns": []}, {"name": "send"}) == []


def test_adds_no_edit() -> None:
    """A policy that does not clear gets no edit."""
    assert plan({}, {"name": "send"}, edits=False).edits == ()


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"patterns": "send"}, "patterns"),
        ({"patterns": ["send", 1]}, "patterns"),
        ({"tools": {"send": "maybe"}}, "tools.send"),
        ({"tools": {"send": ["safe"]}}, "tools.send"),
        ({"tool": {}}, "tool"),
    ],
)
def test_a_wrong_setting_is_told(config: dict[str, Any], where: str) -> None:
    """A setting of the wrong shape is named by its place, passed over, and never fails the plugin."""
    made = plan(config, {"name": "send"})
    found = [finding for finding in made.report if finding.rule == "side-effects-config"]
    assert [finding.where.path for finding in found] == [f"plugins.config.side-effects.{where}"]
    assert made.edit(CLEAR).params["exclude_tools"] == ["send"]
    assert not any(finding.rule == "plugin-failed" for finding in made.report)


def test_right_settings_are_no_finding() -> None:
    """Settings as documented are nothing to talk about."""
    report = plan({"patterns": ["*"], "tools": {"send": "safe"}}, {"name": "send"}).report
    assert not any(finding.rule == "side-effects-config" for finding in report)
