"""Whatever a request asks for, the rules answer with findings: nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine import Engine
from ctxengine.catalog import default_catalog

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(["input_tokens", "tool_uses", "thinking_turns", "window_fraction", "break_even", "all"])
NUMBERS = st.integers(-1, 200_000) | st.floats(-1, 2) | ODD
AMOUNTS = st.fixed_dictionaries({"type": KINDS}, optional={"value": NUMBERS, "requests": NUMBERS, "at_most": NUMBERS})
FIELDS = sorted({name for fact in default_catalog().edits.values() for name in fact.parameters})
EDITS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(default_catalog().edits))},
    optional={**dict.fromkeys(FIELDS, AMOUNTS | ODD), "drop": ODD},
)
BLOCKS = st.fixed_dictionaries({"type": st.sampled_from(["text", "tool_use", "tool_result", "thinking"]) | ODD})
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": st.lists(BLOCKS | ODD, max_size=3) | ODD}
)


@pytest.mark.parametrize("mode", ["enforce", "off"])
@given(edits=st.lists(EDITS | ODD, max_size=3), betas=st.lists(st.text(max_size=8), max_size=3), max_tokens=ODD)
@settings(deadline=None, max_examples=100)
def test_odd_edits_never_raise(mode: str, edits: list[Any], betas: list[str], max_tokens: Any) -> None:
    """Edits, betas and max_tokens of any shape are judged, not crashed on."""
    engine = Engine.from_policy({"version": "1", "mode": mode, "cache": {"breakpoints": ["last_message"]}})
    messages = [{"role": "user", "content": "Hi"}]
    report = engine.plan(
        model="claude-haiku-5-5",
        max_tokens=max_tokens,
        betas=betas,
        messages=messages,
        context_management={"edits": edits},
    ).report
    assert all(finding.message and finding.rule for finding in report)


@pytest.mark.parametrize("mode", ["enforce", "off"])
@given(messages=st.lists(MESSAGES, min_size=1, max_size=4))
@settings(deadline=None, max_examples=200)
def test_odd_messages_never_raise(mode: str, messages: list[Any]) -> None:
    """Messages and blocks of any shape are judged, not crashed on."""
    engine = Engine.from_policy({"version": "1", "mode": mode, "cache": {"breakpoints": ["last_message"]}})
    report = engine.plan(model="claude-haiku-5-5", max_tokens=1024, messages=messages).report
    assert all(finding.message and finding.rule for finding in report)
