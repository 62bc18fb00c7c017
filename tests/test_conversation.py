"""What one walk over a request finds: ``cases/conversation.json`` holds prompts and the facts expected of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta import BetaMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.conversation import (
    Conversation,
    Scanner,
    blocks_of,
    in_messages,
    last_markable,
    markable,
    positions_between,
    previous_tail,
    scan_head,
)

CASES = json.loads((Path(__file__).parent / "cases" / "conversation.json").read_text(encoding="utf-8"))
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
KINDS = (
    "text",
    "tool_use",
    "tool_result",
    "thinking",
    "compaction",
    "server_tool_use",
    "web_search_tool_result",
    "image",
)
IDS = st.sampled_from(("a", "b", "c")) | SCALARS
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS) | SCALARS | st.lists(SCALARS, max_size=1)},
    optional={
        "id": IDS,
        "tool_use_id": IDS,
        "text": SCALARS,
        "content": SCALARS | st.lists(SCALARS, max_size=2),
        "signature": SCALARS,
        "source": SCALARS | st.fixed_dictionaries({"type": SCALARS | st.just("url")}),
        "cache_control": SCALARS | st.fixed_dictionaries({"ttl": SCALARS | st.just("1h")}),
        "citations": st.lists(SCALARS, max_size=1),
    },
)
CONTENTS = SCALARS | st.lists(BLOCKS | SCALARS, max_size=4)
ROLES = st.sampled_from(("user", "assistant", "system")) | SCALARS
MESSAGES = st.fixed_dictionaries({}, optional={"role": ROLES, "content": CONTENTS})
PROMPTS = st.lists(MESSAGES | SCALARS, max_size=8)


def scan(system: Any, tools: Sequence[Any], messages: Sequence[Any], cache_control: Any = None) -> Conversation:
    """All facts of one prompt, of whatever shape."""
    scanner = Scanner()
    scanner.feed(messages)
    return scanner.found(system, tools, messages, scan_head(system, tools, cache_control))


def _facts(found: Conversation) -> dict[str, Any]:
    return {
        "marks": [[mark.at.path, mark.ttl, mark.kind, mark.empty] for mark in found.marks],
        "blocks": [[block.at.path, block.kind, *block.extra_keys] for block in found.compaction_blocks],
        "newest": found.newest_block.at.path if found.newest_block else None,
        "problems": [[problem.rule, problem.at.path] for problem in found.problems],
        "open": list(found.open_tool_uses),
        "tools": [list(kind) for kind in found.tool_kinds],
        "thinking": found.thinking_blocks,
        "system_messages": list(found.system_messages),
        "ends_with": found.ends_with,
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: Mapping[str, Any]) -> None:
    """Each prompt has the facts of its case, and no problem that the case does not name."""
    found = scan(case.get("system"), case.get("tools", ()), case["messages"], case.get("cache_control"))
    if "since" in case:
        found = found.since(in_messages(*case["since"]))
    expected = {"problems": [], **case["expect"]}
    facts = _facts(found)
    assert {key: facts[key] for key in expected} == expected


def test_sdk_objects_count_as_dicts() -> None:
    """A reply of the SDK, kept as objects in the messages, has the facts of its JSON."""
    reply = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-6",
        "content": [
            {"type": "compaction", "content": "What went before."},
            {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
            {"type": "text", "text": "Let me look.", "citations": None},
            {"type": "tool_use", "id": "t1", "name": "read", "input": {}},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    message = BetaMessage.construct(**reply)
    answer = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x"}]}
    as_dicts = _facts(scan(None, (), [{"role": "assistant", "content": reply["content"]}, answer]))
    assert not isinstance(message.content[0], dict)
    assert _facts(scan(None, (), [{"role": "assistant", "content": message.content}, answer])) == as_dicts
    assert _facts(scan(None, (), [message, answer])) == as_dicts
    assert as_dicts["blocks"] == [["messages.0.content.0", "unsigned"]]
    assert as_dicts["problems"] == []


@settings(deadline=None)
@given(messages=PROMPTS, data=st.data())
def test_going_on_equals_starting_over(messages: list[Any], data: st.DataObject) -> None:
    """A scanner fed piece by piece finds what one walk over the whole finds, at every piece."""
    ends = sorted(data.draw(st.sets(st.integers(0, len(messages)))) | {len(messages)})
    scanner = Scanner()
    for end in ends:
        scanner.feed(messages[:end])
        assert scanner.found(None, (), messages[:end], scan_head(None, ())) == scan(None, (), messages[:end])


@settings(deadline=None)
@given(messages=PROMPTS, system=CONTENTS, tools=st.lists(BLOCKS | SCALARS), mark=SCALARS)
def test_odd_shapes_never_raise(messages: list[Any], system: Any, tools: list[Any], mark: Any) -> None:
    """Whatever JSON stands in a prompt is read without raising and left as it was."""
    given_prompt = [messages, system, tools]
    before = copy.deepcopy(given_prompt)
    found = scan(system, tools, messages, mark)
    for index, message in enumerate(messages):
        for at, block in enumerate(blocks_of(message)):
            markable(block)
            found.since(in_messages(index, at))
    assert given_prompt == before


@settings(deadline=None)
@given(parallel=st.lists(st.integers(1, 3), min_size=1, max_size=6), data=st.data())
def test_a_split_pair_is_noticed(parallel: list[int], data: st.DataObject) -> None:
    """A loop of tool uses and results has no problem; taking any one block out of it makes one."""
    messages: list[Any] = []
    for turn, count in enumerate(parallel):
        ids = [f"{turn}-{each}" for each in range(count)]
        messages.append({"role": "assistant", "content": [{"type": "tool_use", "id": use} for use in ids]})
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": use} for use in ids]})
    assert not scan(None, (), messages).problems
    message = data.draw(st.sampled_from(messages))
    message["content"].pop(data.draw(st.integers(0, len(message["content"]) - 1)))
    rules = [problem.rule for problem in scan(None, (), messages).problems]
    assert [rule for rule in rules if rule != "content-empty"] == ["pair-orphan"]


@pytest.mark.parametrize(("collapse", "expected"), [(True, 5), (False, 9)])
def test_positions_between(collapse: bool, expected: int) -> None:
    """A run of tool uses, or of tool results, is one position where the platform has it so, across messages too."""
    text, use, result = {"type": "text", "text": "x"}, {"type": "tool_use"}, {"type": "tool_result"}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [text, use, use, use]},
        {"role": "user", "content": [result, result, result]},
        {"role": "assistant", "content": [text]},
    ]
    first, last = in_messages(0, 0), in_messages(3, 0)
    assert positions_between(messages, first, last, collapse_runs=collapse, enough=50) == expected
    assert positions_between(messages, first, last, collapse_runs=collapse, enough=3) == 3
    assert positions_between(messages, last, last, collapse_runs=collapse, enough=50) == 1


def test_generators_are_told() -> None:
    """A content that can be read only once is not read."""
    content = iter([{"type": "text", "text": "x"}])
    scanner = Scanner()
    scanner.feed([{"role": "user", "content": content}])
    assert scanner.generators
    assert len(list(content)) == 1


TEXT, UNKNOWN, EMPTY = {"type": "text", "text": "x"}, {"type": "song"}, {"type": "text", "text": ""}


@pytest.mark.parametrize(
    ("messages", "first", "end", "before"),
    [
        pytest.param([], (0, 0), None, None, id="no messages"),
        pytest.param([[TEXT, TEXT]], (0, 0), (0, 1), None, id="one message"),
        pytest.param([[TEXT], [TEXT], [TEXT, EMPTY]], (0, 0), (2, 0), (0, 0), id="the last block cannot be marked"),
        pytest.param([[TEXT, UNKNOWN], [TEXT], [UNKNOWN]], (0, 0), (1, 0), (0, 0), id="the last message cannot"),
        pytest.param([[UNKNOWN], [TEXT], [TEXT]], (0, 0), (2, 0), None, id="the user message before cannot"),
        pytest.param([[TEXT, TEXT], [TEXT], [TEXT]], (0, 1), (2, 0), (0, 1), id="the first block is not sent"),
        pytest.param([[TEXT, UNKNOWN], [UNKNOWN], []], (0, 1), None, None, id="all that can be is not sent"),
        pytest.param([[TEXT], [TEXT], [TEXT]], (1, 0), (2, 0), None, id="the first message is not sent"),
    ],
)
def test_looking_back(messages: list[Any], first: Any, end: Any, before: Any) -> None:
    """The end of this request and of the one before it stand on blocks that are sent and can be marked."""
    told = [{"role": "assistant" if n % 2 else "user", "content": blocks} for n, blocks in enumerate(messages)]
    start = in_messages(*first)
    assert last_markable(told, start, len(told) - 1) == (in_messages(*end) if end else None)
    assert previous_tail(told, start) == (in_messages(*before) if before else None)
