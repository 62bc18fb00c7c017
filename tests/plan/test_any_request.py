"""Whatever a request holds: a plan and a request, or one of our errors; nothing of the caller's is lost or moved."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine import CtxengineError, Engine, MalformedInput, Plan
from ctxengine.policy import presets
from tests.plan.requests import ANY_REQUEST, WILD_REQUEST, conversations

PLACES = ["tools", "system", "compaction_block", "last_message"]
POLICIES: list[dict[str, Any]] = [
    {},
    {"mode": "shadow", "edits": [{"type": "clear_tool_uses_20250919"}]},
    {"mode": "off"},
    {"compaction": {"mode": "off"}, "cache": {"breakpoints": PLACES, "ttl": "1h"}},
    {"cache": {"breakpoints": PLACES, "ttl": {"system": "1h", "last_message": "5m"}}, "on_unsupported": "degrade"},
    {
        "edits": [
            {
                "type": "clear_tool_uses_20250919",
                "trigger": {"type": "window_fraction", "value": 0.2},
                "keep": {"type": "tool_uses", "value": 4},
                "clear_at_least": {"type": "break_even", "requests": 9},
            }
        ],
        "overrides": [{"when": {"tool": "read"}, "set": {"compaction": {"mode": "auto"}}}],
        "lock": ["edits.clear_tool_uses_20250919.keep"],
    },
]
ENGINES = [Engine.from_policy({"version": "1", **policy}) for policy in POLICIES]
ENGINES += [Engine.load(f"ctxengine:{name}") for name in presets()]
ENGINE = st.sampled_from(ENGINES)
SURFACE = st.sampled_from(["create", "stream", "count_tokens", "tool_runner"])


@pytest.fixture(autouse=True, scope="module")
def _no_mode_from_outside() -> Iterator[None]:
    mode = os.environ.pop("CTXENGINE_MODE", None)
    yield
    if mode is not None:
        os.environ["CTXENGINE_MODE"] = mode


def built_or_none(engine: Engine, request: Mapping[str, Any], **around: Any) -> dict[str, Any] | None:
    with contextlib.suppress(CtxengineError):
        return engine.build(**around, **request)
    return None


@settings(deadline=None, max_examples=300)
@given(ENGINE, ANY_REQUEST | WILD_REQUEST, SURFACE)
def test_any_request(engine: Engine, request: dict[str, Any], surface: str) -> None:
    """Any JSON gives a plan and a request that JSON can hold, or one of our errors; the caller's objects stay."""
    frozen = repr(request)
    with contextlib.suppress(MalformedInput):
        plan = engine.plan(surface=surface, **request)
        assert plan.explain() and json.dumps(plan.to_dict())
    built = built_or_none(engine, request, surface=surface)
    assert repr(request) == frozen
    assert built is None or json.dumps(built)


@settings(deadline=None, max_examples=300)
@given(ENGINE, st.lists(ANY_REQUEST, min_size=2, max_size=3))
def test_any_planner(engine: Engine, requests: list[dict[str, Any]]) -> None:
    """A planner builds what the engine builds, whatever it saw before."""
    planner = engine.planner()
    for request in requests:
        expected = built_or_none(engine, request)
        with contextlib.suppress(CtxengineError):
            assert repr(planner.build(**request)) == repr(expected)
            continue
        assert expected is None


@settings(deadline=None, max_examples=300)
@given(ENGINE, conversations())
def test_content_and_pairs(engine: Engine, request: dict[str, Any]) -> None:
    """But for marks, the history is sent from its start or from a compaction block on, with whole pairs."""
    built = built_or_none(engine, request)
    if built is None:
        return
    blocks, sent = list(_blocks(request["messages"])), list(_blocks(built["messages"]))
    dropped = len(blocks) - len(sent)
    assert sent == blocks[dropped:]
    assert dropped == 0 or (sent[0][1]["type"] == "compaction" and sent[0][1]["content"])
    uses = [block["id"] for _, block in sent if block["type"] == "tool_use"]
    assert uses == [block["tool_use_id"] for _, block in sent if block["type"] == "tool_result"]


@settings(deadline=None, max_examples=300)
@given(ENGINE, conversations())
def test_marks(engine: Engine, request: dict[str, Any]) -> None:
    """The caller's marks stay; with ours they are in order, not too many, and on no thinking or empty text."""
    plan, built = engine.plan(**request), built_or_none(engine, request)
    if built is None:
        return
    first = plan.pruned.first.index if plan.pruned and plan.mode == "enforce" else 0
    theirs = [ttl for path, ttl, _ in _marks(request) if path[1] >= first]
    sent = list(_marks(built))
    ours = _planned(plan)
    assert ours <= {(path, ttl) for path, ttl, _ in sent}
    assert [ttl for path, ttl, _ in sent if (path, ttl) not in ours] == theirs
    assert len(sent) <= 4
    assert not {"thinking", "empty"} & {kind for _, _, kind in sent}
    if theirs == sorted(theirs):
        assert [ttl for _, ttl, _ in sent] == sorted(ttl for _, ttl, _ in sent)


@settings(deadline=None, max_examples=300)
@given(ENGINE, conversations())
def test_building_again_changes_nothing(engine: Engine, request: dict[str, Any]) -> None:
    """What was built is what would be built from it."""
    built = built_or_none(engine, request)
    assert built is None or engine.build(**built) == built


@settings(deadline=None)
@given(ENGINE, conversations(plain=True))
def test_growing_conversation(engine: Engine, request: dict[str, Any]) -> None:
    """As a conversation grows, a planner builds what the engine builds, and only the marks at the tail move."""
    planner, fixed, head = engine.planner(), None, None
    for end in range(1, len(request["messages"]) + 1, 2):
        asked = {**request, "messages": request["messages"][:end]}
        built = built_or_none(engine, asked)
        if built is None:
            return
        assert planner.build(**asked) == built
        marks = [mark for mark in engine.plan(**asked).breakpoints if mark.place in ("tools", "system")]
        assert fixed in (None, marks)
        rest = {name: value for name, value in built.items() if name != "messages"}
        assert head in (None, rest)
        fixed, head = marks, rest


def _blocks(messages: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for message in messages:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield message["role"], {name: value for name, value in block.items() if name != "cache_control"}


def _marks(request: Mapping[str, Any]) -> Iterator[tuple[tuple[int, int, int], str, str]]:
    """(position, ttl, kind) of each mark in prompt order."""
    for section, parts in enumerate((request.get("tools"), request.get("system"))):
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            if "cache_control" in part:
                yield (section, index, -1), part["cache_control"].get("ttl", "5m"), ""
    for index, message in enumerate(request["messages"]):
        for at, block in enumerate(message["content"] if isinstance(message["content"], list) else ()):
            if "cache_control" in block:
                kind = "empty" if block.get("text") == "" else block["type"]
                yield (2, index, at), block["cache_control"].get("ttl", "5m"), kind


def _planned(plan: Plan) -> set[tuple[tuple[int, int, int], str]]:
    """(position in what is sent, ttl) of each mark of ours."""
    if plan.mode != "enforce":
        return set()
    gone = plan.pruned.first if plan.pruned else None
    found = set()
    for mark in plan.breakpoints:
        section, index, block = mark.at.section, mark.at.index, mark.at.block
        if gone and section == 2:
            index, block = index - gone.index, block - (gone.block if index == gone.index else 0)
        found.add(((section, index, block), str(mark.ttl)))
    return found
