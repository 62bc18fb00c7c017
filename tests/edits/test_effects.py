"""What the edits clear, by cases: ``cases/clear_tool_uses.json`` and ``cases/clear_thinking.json``.

A use is ``[name, frees, input_frees, tiny, has_result]``. ``near`` is what the API reported, an estimate of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.catalog import default_catalog
from ctxengine.edits.clear_thinking_effect import cleared_turns, kept_turns
from ctxengine.edits.clear_tool_uses_choice import Clearing, Use
from ctxengine.edits.clear_tool_uses_effect import is_tiny
from ctxengine.edits.compact_effect import is_due
from ctxengine.edits.switches import Switches, switches_of
from ctxengine.errors import CatalogError

CASES = Path(__file__).parent / "cases"
TOOL_USES = json.loads((CASES / "clear_tool_uses.json").read_text())
THINKING = json.loads((CASES / "clear_thinking.json").read_text())
DEFAULTS = default_catalog().edits["clear_tool_uses_20250919"].defaults
ALWAYS = {"type": "tool_uses", "value": 0}
REPORTED = 0.015
"""How far the API's own estimate lies from what it clears, in the published runs."""

uses = st.builds(Use, st.sampled_from("abc"), st.integers(-20, 3000), st.integers(0, 300), st.booleans(), st.booleans())
params = st.fixed_dictionaries(
    {
        "trigger": st.fixed_dictionaries({"type": st.just("tool_uses"), "value": st.integers(0, 5)}),
        "keep": st.fixed_dictionaries({"type": st.just("tool_uses"), "value": st.integers(0, 6)}),
        "clear_at_least": st.none() | st.fixed_dictionaries({"value": st.integers(1, 9000)}),
        "exclude_tools": st.none() | st.lists(st.sampled_from("abc"), max_size=2),
        "clear_tool_inputs": st.booleans() | st.lists(st.sampled_from("abc"), max_size=2),
    }
)


def _params(case: Mapping[str, Any]) -> dict[str, Any]:
    trigger = case.get("trigger", ALWAYS)
    said = {
        "trigger": trigger,
        "keep": {"type": "tool_uses", "value": case["keep"]} if "keep" in case else None,
        "clear_at_least": {"type": "input_tokens", "value": case["least"]} if "least" in case else None,
        "exclude_tools": case.get("exclude"),
        "clear_tool_inputs": case.get("inputs"),
    }
    return {**DEFAULTS, **{name: value for name, value in said.items() if value is not None}}


def _fed(history: Sequence[Use], asked: Mapping[str, Any], switches: Switches) -> Clearing:
    clearing = Clearing(asked, switches)
    for use in history:
        clearing.add(use)
    return clearing


@pytest.mark.parametrize("case", TOOL_USES, ids=lambda case: str(case["name"]))
def test_clear_tool_uses(case: Mapping[str, Any]) -> None:
    """At every step of a growing history exactly these uses are cleared, whether it is fed or read at once."""
    switches = switches_of(case.get("switches"))
    clearing, seen = Clearing(_params(case), switches), list[Use]()
    for step in case["steps"]:
        for use in step["add"]:
            seen.append(Use(*use))
            clearing.add(seen[-1])
        prompt = step.get("prompt", 0)
        cut = clearing.cut(prompt)
        at_once = _fed(seen, _params(case), switches)
        assert list(clearing.cleared(cut)) == step["cleared"]
        assert (at_once.cleared(at_once.cut(prompt)), at_once.cut(prompt)) == (tuple(step["cleared"]), cut)
        assert cut.tokens == step.get("tokens", cut.tokens)
        assert cut.tokens == pytest.approx(step.get("near", cut.tokens), rel=REPORTED)


@pytest.mark.parametrize("case", THINKING, ids=lambda case: str(case["name"]))
def test_clear_thinking(case: Mapping[str, Any]) -> None:
    """So many of the thinking turns are cleared, oldest first."""
    keep = kept_turns({"keep": case.get("keep")}, case.get("default"))
    assert cleared_turns(case["turns"], keep, switches_of(case.get("switches"))) == case["cleared"]


@given(st.lists(uses, max_size=30), params)
@settings(deadline=None)
def test_the_cleared_prefix_only_grows(history: Sequence[Use], asked: Mapping[str, Any]) -> None:
    """Whatever was cleared once is cleared in every longer history, oldest first, and nothing within keep ever is."""
    clearing, before = Clearing(asked, switches_of()), ()
    for length, use in enumerate(history, start=1):
        clearing.add(use)
        cleared = clearing.cleared(clearing.cut(0))
        assert cleared[: len(before)] == before
        assert list(cleared) == sorted(set(cleared))
        assert len(cleared) <= max(0, length - asked["keep"]["value"])
        assert all(history[index].has_result for index in cleared)
        assert not {history[index].name for index in cleared} & set(asked["exclude_tools"] or ())
        before = cleared


@given(st.lists(uses, max_size=30), params)
@settings(deadline=None)
def test_clear_at_least_is_kept(history: Sequence[Use], asked: Mapping[str, Any]) -> None:
    """What is cleared frees at least what was asked for, or nothing is cleared."""
    cut = _fed(history, asked, switches_of()).cut(0)
    least = (asked["clear_at_least"] or {"value": cut.tokens})["value"]
    assert not cut.uses or cut.tokens >= least


@pytest.mark.parametrize(
    ("result", "tiny"),
    [
        ("", False),
        ("7", True),
        ("x" * 46, True),
        ("x" * 47, False),
        ("é" * 23, True),
        ("é" * 24, False),
        ([], False),
        (None, False),
        ([{"type": "text", "text": "x" * 40}, {"type": "text", "text": "x" * 6}], True),
        ([{"type": "text", "text": "x" * 40}, {"type": "text", "text": "x" * 7}], False),
        ([{"type": "text", "text": ""}], False),
        ([{"type": "text", "text": "7"}, {"type": "image", "source": {}}], False),
        ({"type": "error"}, False),
        ("\ud800", True),
    ],
)
def test_tiny(result: Any, tiny: bool) -> None:
    """A result is tiny where it is nothing but text of 1 to 46 bytes in UTF-8."""
    assert is_tiny(result, 46) is tiny


def test_compaction_fires_on_reaching_the_trigger() -> None:
    """Compaction compares with "reaches" where clearing compares with "exceeds"."""
    edit = default_catalog().edits["compact_20260112"].defaults
    assert [is_due(edit, tokens) for tokens in (149_999, 150_000)] == [False, True]


@pytest.mark.parametrize("given", [{"clear_tool_uses.latest": "kept"}, {"clear_tool_uses.no_saving": "perhaps"}])
def test_unknown_switches(given: Mapping[str, str]) -> None:
    """A switch that does not exist, or has no such value, is refused with what there is."""
    with pytest.raises(CatalogError) as caught:
        switches_of(given)
    assert caught.value.findings[0].help


@pytest.mark.parametrize("row", default_catalog().switches.values(), ids=lambda row: row.name)
def test_every_switch_can_be_set(row: Any) -> None:
    """Each value a switch can take is taken, and each switch leaves a choice."""
    assert row.alternatives
    for value in (row.value, *row.alternatives):
        assert switches_of({row.name: value})[row.name] == value
