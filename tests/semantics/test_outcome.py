"""What happens to a request that is not refused: what the model reads, and how large that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.semantics import Signer, World, compacted, outcome, summarised
from tests.semantics.cases_of import characters

CATALOG = default_catalog()
WORLD = World(CATALOG, count=characters)
OPENING = CATALOG.opening_tokens
PLAIN = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hi"}]}
COMPACTS = {
    "betas": ["compact-2026-01-12"],
    "context_management": {
        "edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}]
    },
}
BLOCK = {"type": "compaction", "content": "The story so far."}
LONG = {"role": "user", "content": "x" * 60_000}


def _on_demand(**more: Any) -> dict[str, Any]:
    return {**PLAIN, "betas": ["compact-2026-09-04"], "compaction": {"type": "summarize"}, **more}


def test_what_stands_before_a_block_is_not_read() -> None:
    """The model reads from the newest block with a summary on, and that alone is counted."""
    reply = {"role": "assistant", "content": [{"type": "text", "text": "old"}, BLOCK, {"type": "text", "text": "new"}]}
    messages = [LONG, reply, {"role": "user", "content": "Go on."}]
    answer = outcome({**PLAIN, **COMPACTS, "messages": messages}, WORLD)
    assert answer.request["messages"] == [{"role": "assistant", "content": reply["content"][1:]}, messages[2]]
    assert answer.input_tokens == characters(answer.request["messages"]) + OPENING
    assert answer.compaction is None


def test_a_compaction_is_due() -> None:
    """A prompt that reaches the trigger is summarised; the call for it costs the prompt and its instructions."""
    answer = outcome({**PLAIN, **COMPACTS, "messages": [LONG]}, WORLD)
    assert answer.compaction is not None and not answer.on_demand
    assert answer.compaction.prompt_tokens == answer.input_tokens and answer.compaction.asking_tokens > 0


def test_after_a_compaction() -> None:
    """The model reads the summary alone, and the next round of the same request compacts again only when it is long."""
    request = {**PLAIN, **COMPACTS, "system": "s", "messages": [LONG]}
    done = compacted(request, "They said x.")
    assert done.request == {**request, "messages": [{"role": "assistant", "content": [done.block]}]}
    assert outcome(done.request, WORLD).compaction is None
    grown = {**done.request, "messages": [*done.request["messages"], LONG]}
    assert outcome(grown, WORLD).compaction is not None


@pytest.mark.parametrize(
    ("how", "content", "stop_reason", "goes_on"),
    [
        ({}, "So.", None, True),
        ({}, None, None, True),
        ({"pause": True}, "So.", "compaction", False),
        ({"pause": True}, None, "compaction", False),
        ({"refused": True}, None, "refusal", False),
    ],
)
def test_how_a_compaction_ends(
    how: Mapping[str, bool], content: str | None, stop_reason: str | None, goes_on: bool
) -> None:
    """It goes on after a summary or a failure, and ends the response at a pause or a refusal."""
    done = compacted({**PLAIN}, content, **how)
    assert done.block == {"type": "compaction", "content": content}
    assert (done.stop_reason, done.request is not None) == (stop_reason, goes_on)


def test_a_failed_compaction_changes_nothing() -> None:
    """A block without content goes back and forth, and the whole history is read."""
    messages = [
        LONG,
        {"role": "assistant", "content": [{**BLOCK, "content": None}]},
        {"role": "user", "content": "Go on."},
    ]
    request = {**PLAIN, **COMPACTS, "messages": messages}
    answer = outcome(request, WORLD)
    assert answer.request["messages"] == messages
    assert answer.compaction is not None
    assert compacted(request, None).request is request


def test_on_demand() -> None:
    """A compaction request of any size gets one signed block, which the API takes back."""
    signer = Signer(b"key")
    answer = outcome(_on_demand(), WORLD)
    assert answer.on_demand and answer.compaction is not None and answer.compaction.pause
    done = summarised(_on_demand(), "They said hi.", signer)
    assert done.block is not None and done.stop_reason == "compaction"
    messages = [{"role": "assistant", "content": [done.block]}, {"role": "user", "content": "And now?"}]
    later = {**PLAIN, "betas": ["compact-2026-09-04"], "messages": messages}
    assert outcome(later, World(CATALOG, signer=signer)).error is None


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_instructions_are_none(blank: str | None) -> None:
    """Blank instructions count as absent."""
    without = outcome(_on_demand(compaction={"type": "summarize", "instructions": blank}), WORLD).compaction
    assert without is not None and without.instructions is None


def test_instructions_cost_what_they_are() -> None:
    """Instructions replace the API's own and are what the call costs."""
    given = outcome(_on_demand(compaction={"type": "summarize", "instructions": "Be short."}), WORLD).compaction
    assert given is not None and given.asking_tokens == characters("Be short.")


def test_no_summary() -> None:
    """An on-demand call without a summary has no content, and stops for the reason the call did."""
    done = summarised(_on_demand(), None, Signer(b"key"), because="tool_use")
    assert (done.block, done.stop_reason) == (None, "tool_use")


def test_counting_never_compacts() -> None:
    """count_tokens says what there is before and after edits, reads existing blocks and makes no new ones."""
    world = World(CATALOG, surface="count_tokens", count=characters)
    assert outcome({**PLAIN, **COMPACTS, "messages": [LONG]}, world).compaction is None
    assert outcome(_on_demand(), world).compaction is None


@pytest.mark.parametrize(("size", "room"), [(998_000, None), (999_000, 1000), (999_999, 1)])
def test_room(size: int, room: int | None) -> None:
    """Where prompt and max_tokens exceed the window, the reply may have what is left, and then stops."""
    answer = outcome(PLAIN, World(CATALOG, count=lambda value: size - OPENING))
    assert (answer.error, answer.room) == (None, room)


def test_too_long() -> None:
    """A prompt beyond the window is refused with both numbers."""
    answer = outcome(PLAIN, World(CATALOG, count=lambda value: 1_000_001 - OPENING))
    assert answer.error is not None
    assert answer.error.message == "prompt is too long: 1000001 tokens > 1000000 maximum"


def test_clearing_comes_before_the_window() -> None:
    """What the edits clear is not held against the window."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go."}]
    for number in range(3):
        use = {"type": "tool_use", "id": f"t{number}", "name": "read", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "x" * 400_000}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    edits = [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 1}}]
    request = {**PLAIN, "messages": messages}
    assert outcome(request, WORLD).error is not None
    betas = ["context-management-2025-06-27"]
    answer = outcome({**request, "context_management": {"edits": edits}, "betas": betas}, WORLD)
    assert (answer.error, len(answer.cleared_tool_use_ids)) == (None, 2)


@pytest.mark.parametrize(("model", "kept"), [("claude-haiku-4-5", ["new"]), ("claude-opus-4-5", ["old", "new"])])
def test_models_that_read_the_last_turn_alone(model: str, kept: list[str]) -> None:
    """Older models do not read the thinking before the newest question, edit or no edit; a tool loop keeps its own."""

    def thinks(text: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": text, "signature": "s"}

    use = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [thinks("old"), {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": [thinks("new"), use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "d"}]},
    ]
    thinking = {"type": "enabled", "budget_tokens": 2000}
    answer = outcome({**PLAIN, "model": model, "max_tokens": 4000, "thinking": thinking, "messages": messages}, WORLD)
    read = [block for message in answer.request["messages"][1::2] for block in message["content"]]
    assert [block["thinking"] for block in read if block["type"] == "thinking"] == kept
    assert answer.error is None
