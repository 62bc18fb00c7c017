"""``apply_edits`` by cases, and the laws it keeps for every history.

A case names the entries of ``applied_edits`` without their tokens, the cleared ids, and what changed in the messages by
place: ``"2.0"`` is a block, ``"2"`` a whole message. All else must be the caller's own object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from anthropic.types.beta import BetaTextBlock, BetaToolUseBlock
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.errors import RequestError
from ctxengine.semantics import apply_edits
from tests.semantics.cases_of import cases_of, characters

TOKENS = "cleared_input_tokens"


@pytest.mark.parametrize("case", cases_of("apply_edits"), ids=lambda case: str(case["name"]))
def test_case(case: Mapping[str, Any]) -> None:
    """The edits report and change exactly this, and the request that came in is as it was."""
    request, before = case["request"], json.dumps(case["request"])
    applied = apply_edits(request, count=characters, switches=case.get("switches"))
    assert [{**entry, TOKENS: 0} for entry in applied.applied_edits] == [
        {**each, TOKENS: 0} for each in case["applied"]
    ]
    assert list(applied.cleared_tool_use_ids) == case["ids"]
    assert applied.request["messages"] == _changed(request["messages"], case["changed"])
    touched = {int(place.split(".")[0]) for place in case["changed"]}
    for index, (old, new) in enumerate(zip(request["messages"], applied.request["messages"], strict=True)):
        assert (new is old) is (index not in touched)
    due = applied.compaction
    assert (due and {"pause": due.pause, "instructions": due.instructions}) == case.get("due")
    assert json.dumps(request) == before


def _changed(messages: Sequence[Any], changed: Mapping[str, Any]) -> list[Any]:
    made: list[Any] = json.loads(json.dumps(messages))
    for place, value in changed.items():
        index, *block = map(int, place.split("."))
        if block:
            made[index]["content"][block[0]] = value
        else:
            made[index] = value
    return made


def test_reported_tokens_are_what_is_gone() -> None:
    """With sizes given, the reported tokens are exactly what is missing from the prompt."""
    case = next(each for each in cases_of("apply_edits") if each["name"].startswith("both edits"))
    applied = apply_edits(case["request"], count=characters)
    before, after = (characters(each["messages"]) for each in (case["request"], applied.request))
    reported = sum(entry[TOKENS] for entry in applied.applied_edits)
    assert applied.original_tokens - applied.input_tokens == reported
    # the commas between blocks belong to no block
    assert 0 <= before - after - reported <= 3 * 2
    assert (applied.original_tokens, applied.input_tokens) == (before, before - reported)


def test_without_edits_nothing_is_made() -> None:
    """A request without edits comes back as the same object."""
    request = {"model": "claude-opus-5-5", "messages": [{"role": "user", "content": "Hi"}]}
    assert apply_edits(request).request is request


def test_objects_of_the_sdk() -> None:
    """Blocks may be the SDK's own objects, as they come out of a response; they are copied, never changed."""
    call = BetaToolUseBlock(id="t1", name="read", input={"path": "a"}, type="tool_use")
    said = BetaTextBlock(type="text", text="I look.", citations=None)
    messages = [
        {"role": "assistant", "content": [said, call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x" * 99}]},
        {"role": "assistant", "content": [call.model_copy(update={"id": "t2"})]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t2", "content": "x" * 99}]},
    ]
    edit = {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "tool_uses", "value": 1},
        "keep": {"type": "tool_uses", "value": 1},
        "clear_tool_inputs": True,
    }
    applied = apply_edits({"model": "claude-opus-5-5", "messages": messages, "context_management": {"edits": [edit]}})
    first = applied.request["messages"][0]["content"]
    assert applied.cleared_tool_use_ids == ("t1",)
    assert first[0] is said
    assert (first[1].input, call.input) == ({}, {"path": "a"})


texts = st.sampled_from(["", "7", "short", "y" * 46, "y" * 47, "long " * 40])
contents = st.one_of(texts, st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=2))
steps = st.lists(
    st.tuples(st.lists(st.tuples(st.sampled_from(["read", "grep", "memory"]), contents), max_size=3), st.booleans()),
    max_size=8,
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Histories of tool loops with thinking, under any edits."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Go."}]
    for number, (calls, thinks) in enumerate(draw(steps)):
        ids = [f"t{number}-{at}" for at in range(len(calls))]
        said: list[dict[str, Any]] = [{"type": "thinking", "thinking": "hm " * 9, "signature": "s"}] if thinks else []
        said += [
            {"type": "tool_use", "id": id, "name": name, "input": {"path": "p" * 9}}
            for id, (name, _) in zip(ids, calls, strict=True)
        ]
        answers = [
            {"type": "tool_result", "tool_use_id": id, "content": content}
            for id, (_, content) in zip(ids, calls, strict=True)
        ]
        messages.append({"role": "assistant", "content": [*said, {"type": "text", "text": "So."}]})
        messages.append({"role": "user", "content": answers or "And?"})
    clear = draw(
        st.fixed_dictionaries(
            {
                "trigger": st.builds(
                    lambda kind, value: {"type": kind, "value": value},
                    st.sampled_from(["input_tokens", "tool_uses"]),
                    st.integers(1, 400),
                )
                | st.just({"type": "tool_uses", "value": 1}),
                "keep": st.builds(lambda value: {"type": "tool_uses", "value": value}, st.integers(0, 4)),
            },
            optional={
                "clear_at_least": st.builds(
                    lambda value: {"type": "input_tokens", "value": value}, st.integers(0, 500)
                ),
                "exclude_tools": st.just(["memory"]),
                "clear_tool_inputs": st.booleans() | st.just(["grep"]),
            },
        )
    )
    edits: list[dict[str, Any]] = [{"type": "clear_tool_uses_20250919", **clear}]
    if draw(st.booleans()):
        keep = {"type": "thinking_turns", "value": draw(st.integers(1, 4))}
        edits.insert(0, {"type": "clear_thinking_20251015", "keep": keep})
    return {"model": "claude-opus-5-5", "messages": messages, "context_management": {"edits": edits}}


@given(requests())
@settings(deadline=None)
def test_nothing_is_mutated_and_every_pair_stays(request: dict[str, Any]) -> None:
    """What came in is as it was; messages, roles, tool uses and their results stay where they were."""
    before = json.dumps(request)
    applied = apply_edits(request, count=characters)
    assert json.dumps(request) == before
    assert _pairs(applied.request["messages"]) == _pairs(request["messages"])


@given(requests())
@settings(deadline=None)
def test_applied_to_its_own_output_it_changes_nothing(request: dict[str, Any]) -> None:
    """What is cleared is cleared: a second time makes the same request."""
    only_tools = {**request, "context_management": {"edits": request["context_management"]["edits"][-1:]}}
    once = apply_edits(only_tools, count=characters).request
    assert apply_edits(once, count=characters).request["messages"] == once["messages"]


@given(requests())
@settings(deadline=None)
def test_the_newest_uses_stay_as_they_are(request: dict[str, Any]) -> None:
    """The newest ``keep`` uses of tools that are not excluded keep their results, and so does the latest result."""
    edit = request["context_management"]["edits"][-1]
    applied = apply_edits(request, count=characters)
    excluded = edit.get("exclude_tools", [])
    uses = [use for use, name in _uses(request["messages"]) if name not in excluded]
    kept = uses[len(uses) - edit["keep"]["value"] :] if edit["keep"]["value"] else []
    latest = [use for use, _ in _uses(request["messages"])][-1:]
    assert not set(applied.cleared_tool_use_ids) & {*kept, *latest}


@given(requests())
@settings(deadline=None)
def test_what_was_cleared_stays_cleared_as_the_conversation_grows(request: dict[str, Any]) -> None:
    """Every longer history clears what a shorter one did, first and in the same order."""
    messages, before = request["messages"], ()
    for length in range(1, len(messages) + 1, 2):
        cleared = apply_edits({**request, "messages": messages[:length]}, count=characters).cleared_tool_use_ids
        assert cleared[: len(before)] == before
        before = cleared


def _uses(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [
        (block["id"], block["name"])
        for message in messages
        for block in (message["content"] if isinstance(message["content"], list) else ())
        if block["type"] == "tool_use"
    ]


def _pairs(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Roles, and every block that is no thinking, by what a cleared one keeps."""
    return [
        (message["role"], message["content"])
        if isinstance(message["content"], str)
        else (message["role"], [_kept(block) for block in message["content"] if block["type"] != "thinking"])
        for message in messages
    ]


def _kept(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name not in ("content", "input")}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("trigger", 5, "Input should be an object"),
        ("keep", {"type": "tool_uses"}, "Input does not match the expected shape."),
        ("keep", {"type": "tool_uses", "value": True}, "Input does not match the expected shape."),
        ("keep", {"type": "tool_uses", "value": -1}, "Input does not match the expected shape."),
        ("trigger", {"type": "turns", "value": 1}, "Input does not match the expected shape."),
        ("clear_at_least", {"type": "tool_uses", "value": 1}, "Input does not match the expected shape."),
        ("clear_at_least", [], "Input should be an object"),
        ("exclude_tools", "read", "Input should be a valid array"),
        ("exclude_tools", True, "Input should be a valid array"),
        ("exclude_tools", [7], "Input does not match the expected shape."),
        ("clear_tool_inputs", "read", "Input does not match the expected shape."),
    ],
)
def test_odd_shapes(field: str, value: Any, said: str) -> None:
    """A field that the API refuses is refused, in its words and with its place."""
    edit = {"type": "clear_tool_uses_20250919", field: value}
    request = {"model": "claude-opus-5-5", "messages": [], "context_management": {"edits": [edit]}}
    with pytest.raises(RequestError, match=said) as caught:
        apply_edits(request)
    assert caught.value.findings[0].where.path == f"context_management.edits.0.{field}"


def test_a_repeated_id_is_a_use_of_its_own() -> None:
    """Two tool uses of one id in several messages are two uses, each with the result behind it."""
    use = {"type": "tool_use", "id": "t1", "name": "read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "long " * 200}
    messages = [{"role": "user", "content": "Go."}]
    for _ in range(3):
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    edit = {"type": "clear_tool_uses_20250919", "trigger": {"type": "tool_uses", "value": 1}}
    edit |= {"keep": {"type": "tool_uses", "value": 1}}
    applied = apply_edits({"messages": messages, "context_management": {"edits": [edit]}}, count=characters)
    assert applied.applied_edits[0]["cleared_tool_uses"] == 2
    contents = [message["content"][0]["content"] for message in applied.request["messages"][2::2]]
    assert [content == result["content"] for content in contents] == [False, False, True]


def test_a_counter_is_given_what_the_model_reads() -> None:
    """A caller's counter sees plain JSON: no objects of the SDK, and no cache marks."""
    seen: list[str] = []

    def count(value: Any) -> int:
        seen.append(json.dumps(value))
        return len(seen[-1])

    use = BetaToolUseBlock(id="t1", name="read", input={}, type="tool_use")
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": "long " * 99,
        "cache_control": {"type": "ephemeral"},
    }
    messages = [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    edit = {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "input_tokens", "value": 1},
        "keep": {"type": "tool_uses", "value": 0},
    }
    request = {"messages": (message for message in messages), "context_management": {"edits": [edit]}}
    applied = apply_edits(request, count=count, switches={"clear_tool_uses.latest_result": "cleared"})
    assert applied.cleared_tool_use_ids == ("t1",) and len(applied.request["messages"]) == 3
    assert not any("cache_control" in each for each in seen)
