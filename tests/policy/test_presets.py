"""The policies that come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxengine.policy import Resolved, Situation, load_layers, presets, resolve

TOOLS, THINKING = "clear_tool_uses_20250919", "clear_thinking_20251015"
DOCS = Path(__file__).parents[2] / "docs" / "presets.md"


def preset(name: str, model: str = "claude-opus-5-5", thinks: bool | None = True) -> Resolved:
    return resolve(load_layers(f"ctxengine:{name}"), Situation(model, "anthropic", thinks))


def test_names() -> None:
    """The five are there, and each says what it is for, here and in the docs."""
    assert presets() == ("agentic", "chat", "cost-saver", "minimal", "research")
    for name in presets():
        (layer,) = load_layers(f"ctxengine:{name}")
        assert layer.data["name"] == name
        assert layer.data["description"] in DOCS.read_text()


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-haiku-5-5"])
def test_sound(name: str, model: str) -> None:
    """Clearing comes before compaction, both within the cheap tier where there is one, and pays for the cache."""
    made = preset(name, model)
    clears, compacts = made.get(f"edits.{TOOLS}.trigger.value"), made.get("compaction.trigger.value")
    assert clears < compacts
    assert clears < compacts < 100_000 or not model.startswith("claude-haiku-5-5")
    assert made.get(f"edits.{TOOLS}.clear_at_least.type") == "break_even"
    assert made.get("on_unsupported") == "degrade"
    assert {"system", "last_message"} <= set(made.get("cache.breakpoints"))
    assert made.findings == ()


@pytest.mark.parametrize("thinks", [False, None])
@pytest.mark.parametrize("name", presets())
def test_thinking(name: str, thinks: bool | None) -> None:
    """Thinking is only managed, and then kept whole, where the request is known to think."""
    assert preset(name).get(f"edits.{THINKING}", {"keep": {"type": "all"}}) == {"keep": {"type": "all"}}
    assert preset(name, thinks=thinks).get(f"edits.{THINKING}") is None


def test_no_budget() -> None:
    """No preset has a budget: the least of all layers stands, so nobody could raise it."""
    assert all(preset(name).get("budget") is None for name in presets())
