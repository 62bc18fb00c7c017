"""Requests and policies that are legal but rare, or broken in ways of their own, through the whole engine."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from ctxengine import Engine, MalformedInput, PlanRefused, RequestError
from ctxengine.jsontext import read_json

LONG = "word " * 20_000
MARK = {"type": "ephemeral"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def text(said: str = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": said, **more}


def use(id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": "t", "input": {}, **more}


def result(id: str = "a", content: Any = "done") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content}


def request(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "claude-opus-4-6", "max_tokens": 1024, "messages": list(messages), **more}


def rules(policy: dict[str, Any], asked: dict[str, Any], **options: Any) -> set[str]:
    report = Engine.from_policy({"version": "1", **policy}).plan(**asked, **options).report
    return {finding.rule for finding in report.errors}


CACHED = {"cache": {"breakpoints": ["system", "last_message"]}}

REFUSED: dict[str, tuple[list[Any], str]] = {
    "the last tool use unanswered": ([user(text()), assistant(use())], "pair-orphan"),
    "a pair within one message": ([user(text()), assistant(use(), result())], "pair-orphan"),
    "a pair within a user message": ([user(use(), result())], "pair-orphan"),
    "text before the result": ([user(text()), assistant(use()), user(text(), result())], "pair-orphan"),
    "a message before the result": ([user(text()), assistant(use()), user(text()), user(result())], "pair-orphan"),
    "citations within a search result": (
        [user({"type": "search_result", "content": [text(citations=[{"a": 1}])]})],
        "version-blocks",
    ),
    "five marks within a result": (
        [user(text()), assistant(use()), user(result(content=[text(cache_control=MARK)] * 5))],
        "cache-max4",
    ),
}


@pytest.mark.parametrize(("messages", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_the_api_refuses(messages: list[Any], rule: str) -> None:
    """What the API would answer with a 400 is an error of the plan."""
    assert rule in rules({}, request(*messages))


PASSES: dict[str, dict[str, Any]] = {
    "a thread whose tool use is on the server": request(user(result()), thread={"type": "continue", "id": "t"}),
    "an unknown block that ends like a result": request(user(text()), assistant({"type": "new_tool_result"})),
    "blocks that are mappings but no dicts": request(user(MappingProxyType(text(LONG)))),
    "an older signed block before the newest": request(
        assistant({"type": "compaction", "content": "one", "signature": "s"}),
        user(text()),
        assistant({"type": "compaction", "content": "two"}),
        user(text()),
    ),
}


@pytest.mark.parametrize("asked", PASSES.values(), ids=PASSES)
@pytest.mark.parametrize("policy", [{}, CACHED], ids=["empty policy", "cache marks"])
def test_what_is_legal_is_built(policy: dict[str, Any], asked: dict[str, Any]) -> None:
    """A legal request is built, whatever is rare in it."""
    assert rules(policy, asked) == set()


def test_marks_within_results_take_slots() -> None:
    """Marks inside a tool_result count among the four."""
    marked = result(content=[text(cache_control=MARK)] * 3)
    asked = request(user(text()), assistant(use()), user(marked), user(text(LONG)), system=LONG)
    plan = Engine.from_policy({"version": "1", **CACHED}).plan(**asked)
    assert len(plan.breakpoints) == 1
    assert rules(CACHED, asked) == set()


def test_a_listed_beta_degrades() -> None:
    """A beta the platform does not take is left out under degrade, and nothing refuses it after that."""
    policy = {"on_unsupported": "degrade", "betas": ["compact-2026-09-04"]}
    assert rules(policy, request(user(text())), platform="bedrock") == set()
    assert rules({**policy, "on_unsupported": "error"}, request(user(text())), platform="bedrock") == {"beta-plat"}


def test_our_mark_gives_way_to_the_automatic_one() -> None:
    """Where the caller's automatic mark lands, none of ours stands."""
    policy = {
        "compaction": {"mode": "threshold"},
        "cache": {"breakpoints": ["compaction_block"], "ttl": {"compaction_block": "1h"}},
    }
    block = assistant({"type": "compaction", "content": "so far"})
    assert rules(policy, request(user(text()), block, system=LONG, cache_control=MARK)) == set()


def test_the_sticky_edit_is_explained() -> None:
    """The edit that a compaction block demands says so too where its trigger was raised."""
    policy = {"compaction": {"mode": "on_demand", "trigger": {"type": "input_tokens", "value": 10_000}}}
    block = assistant({"type": "compaction", "content": "so far"})
    plan = Engine.from_policy({"version": "1", **policy}).plan(**request(block, user(text())))
    assert "edit-compact-raised" in {finding.rule for finding in plan.report}


def test_where_no_mark_can_stand_says_why() -> None:
    """A mark that is not placed has a reason, also where the only text is empty."""
    plan = Engine.from_policy({"version": "1", **CACHED}).plan(**request(user(text(""))))
    assert [item.because for item in plan.unplaced] == ["no block can carry a mark: empty text, thinking or unknown"]


HUGE = 10**400
AMOUNTS: list[dict[str, Any]] = [
    {"trigger": {"type": "window_fraction", "value": 1e308}},
    {"trigger": {"type": "window_fraction", "value": -1e308}},
    {"trigger": {"type": "window_fraction", "value": 0.5, "at_most": HUGE}},
    {"trigger": {"type": "input_tokens", "value": HUGE}, "clear_at_least": {"type": "break_even", "requests": 3}},
    {"clear_at_least": {"type": "break_even", "requests": HUGE}},
]


@pytest.mark.parametrize("amounts", AMOUNTS, ids=range(len(AMOUNTS)))
def test_huge_numbers_are_findings(amounts: dict[str, Any]) -> None:
    """No number of a policy is too large to be judged."""
    edit = {"type": "clear_tool_uses_20250919", **amounts}
    compaction = {"trigger": amounts["trigger"]} if "trigger" in amounts else {}
    engine = Engine.from_policy({"version": "1", "edits": [edit], "compaction": compaction})
    assert engine.plan(**request(user(text()))).target.model == "claude-opus-4-6"
    assert engine.check(model="claude-opus-4-6").findings is not None


def test_endless_content_is_refused() -> None:
    """Content that holds itself is refused in words, not walked for ever."""
    circle: list[Any] = []
    circle += [circle, circle]
    asked = request(user(text()), assistant(use(input={"a": circle})), user(result()))
    with pytest.raises(RequestError, match="holds itself"):
        Engine.from_policy({"version": "1", **CACHED}).plan(**asked)


def test_blocks_that_cannot_be_copied_are_left_alone() -> None:
    """An object that is neither a mapping nor the SDK's gets no mark."""
    block = SimpleNamespace(type="text", text=LONG)
    built = Engine.from_policy({"version": "1", **CACHED}).build(**request(user(block)))
    assert built["messages"][0]["content"][0] is block


@pytest.mark.parametrize("argument", ["platform", "surface"])
def test_odd_options_are_refused(argument: str) -> None:
    """An option of the wrong type is refused like one of the wrong name."""
    with pytest.raises(MalformedInput):
        Engine.from_policy({"version": "1"}).build(**request(user(text())), **{argument: ["x"]})


def test_a_plugin_that_exits_is_a_finding() -> None:
    """A plugin cannot end the process."""
    from ctxengine import hookimpl

    class Quits:
        @hookimpl
        def ctxengine_contribute_edits(self) -> list[Any]:
            raise SystemExit(3)

    plan = Engine.from_policy({"version": "1"}, plugins=[Quits()]).plan(**request(user(text())))
    assert [finding.rule for finding in plan.report] == ["plugin-failed"]


def test_keys_are_not_quoted() -> None:
    """A key that stands twice is named by its place: it may be part of a conversation."""
    with pytest.raises(MalformedInput) as caught:
        read_json('{"SECRET": 1, "SECRET": 2}', "x.json", rule="request-shape")
    assert "SECRET" not in str(caught.value)
    assert caught.value.findings[0].where.column == 15


def test_a_build_is_the_callers_own() -> None:
    """What a caller does to a built request changes no later one, and not the caller's own edits."""
    engine = Engine.from_policy(
        {"version": "1", "edits": [{"type": "clear_tool_uses_20250919", "exclude_tools": ["a"]}]}
    )
    own = {"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 4}}
    for _ in range(2):
        asked = request(user(text()), context_management={"edits": [own]})
        edit = engine.build(**asked)["context_management"]["edits"][0]
        assert (edit["keep"]["value"], edit["exclude_tools"], own["keep"]["value"]) == (4, ["a"], 4)
        edit["keep"]["value"] = 9
        edit["exclude_tools"].append("b")


def test_what_refuses_is_what_is_said() -> None:
    """A refusal names errors that refuse, and carries the rest in its report."""
    with pytest.raises(PlanRefused) as caught:
        Engine.from_policy({"version": "1"}).build(**request(user(text()), assistant(use())))
    assert [finding.rule for finding in caught.value.findings] == ["pair-orphan"]


@pytest.mark.parametrize(
    "fields",
    [{"exclude_tools": 5}, {"exclude_tools": "memory"}, {"exclude_tools": [5]}, {"clear_tool_inputs": 1}],
    ids=str,
)
def test_fields_of_the_wrong_type_are_errors(fields: dict[str, Any]) -> None:
    """A request's own edit with a field of the wrong type is an error, whatever the policy holds."""
    edit = {"type": "clear_tool_uses_20250919", **fields}
    for policy in ({}, {"edits": [{"type": "clear_tool_uses_20250919", "exclude_tools": ["a"]}]}):
        assert rules(policy, request(user(text()), context_management={"edits": [edit]})) == {"edit-inputs-type"}
