"""The front desk with the real SDK beside it: what goes in as the caller writes it, what comes out for which method."""

from __future__ import annotations

import inspect
import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from anthropic import NOT_GIVEN, Anthropic, beta_tool, omit
from anthropic.types.beta import BetaContentBlockParam, BetaMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine import Engine, Estimate, PlanRefused, PolicyError, RequestError, hookimpl
from ctxengine.check import Facts, Hit, Rule, rule
from ctxengine.conversation import markable
from ctxengine.transcripts import read_transcripts
from tests.sdk_clients import CLIENTS, send

LONG = "A sentence to fill the prompt. " * 500
EDIT = {"type": "clear_tool_uses_20250919"}
POLICY = {"version": "1", "edits": [EDIT], "cache": {"breakpoints": ["system", "compaction_block", "last_message"]}}
REQUEST = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": LONG}]}
METHODS = ("create", "stream", "count_tokens", "tool_runner")
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "transcripts" / "stdlib-audit.json"
RESPONSE = BetaMessage.model_validate(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [
            {"type": "compaction", "content": "So far."},
            {"type": "text", "text": "I read it."},
            {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
)
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "text"}


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTXENGINE_MODE", raising=False)


@pytest.fixture
def engine() -> Engine:
    return Engine.from_policy(POLICY)


@pytest.fixture(scope="module")
def conversation() -> dict[str, Any]:
    (transcript,) = read_transcripts(EXAMPLE)
    return dict(transcript.request)


def growing(request: dict[str, Any], least: int = 1) -> Iterator[dict[str, Any]]:
    for end in range(least, len(request["messages"]) + 1, 2):
        yield {**request, "messages": request["messages"][:end]}


@pytest.mark.parametrize("absent", [omit, NOT_GIVEN], ids=["omit", "NOT_GIVEN"])
def test_absent_arguments_pass_through(engine: Engine, absent: Any) -> None:
    """The SDK's marks for an absent argument count as absent and come out as they went in."""
    names = ("system", "tools", "thinking", "context_management", "cache_control", "thread", "compaction", "top_p")
    built = engine.build(**REQUEST, **dict.fromkeys(names, absent))
    written = engine.build(**REQUEST)
    assert {**written, **dict.fromkeys(set(names) - {"context_management"}, absent)} == built


@pytest.mark.parametrize("absent", [omit, NOT_GIVEN], ids=["omit", "NOT_GIVEN"])
def test_absent_betas_and_headers(absent: Any) -> None:
    """Absent betas and headers are no betas; an empty policy hands them back."""
    given = {**REQUEST, "betas": absent, "extra_headers": absent}
    assert Engine.from_policy({"version": "1"}).build(**given) == given
    assert Engine.from_policy(POLICY).build(**given)["betas"] == ["context-management-2025-06-27"]


def test_generators_are_materialised(engine: Engine) -> None:
    """Generators of messages, system blocks, tools and content come out as the lists they hold."""
    listed = {
        **REQUEST,
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "read", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": LONG}, {"type": "text", "text": "Go."}]}],
    }
    messages = ({**each, "content": (block for block in each["content"])} for each in listed["messages"])
    given = {**listed, "messages": messages, "system": iter(listed["system"]), "tools": iter(listed["tools"])}
    assert engine.build(**given) == engine.build(**listed)


def test_sdk_objects_in_messages(engine: Engine) -> None:
    """A response goes back as it came: only a marked block becomes a dict, without keys the API never sent."""
    messages = [
        {"role": "user", "content": LONG},
        {"role": "assistant", "content": RESPONSE.content},
        {"role": "user", "content": [RESULT]},
    ]
    built = engine.build(**{**REQUEST, "system": LONG, "messages": messages})
    compaction, text, use = built["messages"][0]["content"]
    assert compaction == {"type": "compaction", "content": "So far.", "cache_control": {"type": "ephemeral"}}
    assert text is RESPONSE.content[1]
    assert use is RESPONSE.content[2]
    assert built["messages"][1]["content"] == [{**RESULT, "cache_control": {"type": "ephemeral"}}]


def test_sdk_objects_are_read_as_dicts_are(engine: Engine) -> None:
    """A response's content says the same to the engine whether it is objects or dicts."""
    reports = []
    for content in (RESPONSE.content, [block.to_dict() for block in RESPONSE.content]):
        messages = [REQUEST["messages"][0], {"role": "assistant", "content": content}]
        plan = engine.plan(**{**REQUEST, "messages": [*messages, {"role": "user", "content": [RESULT]}]})
        reports.append((plan.report, plan.breakpoints, plan.pruned, plan.betas))
    assert reports[0] == reports[1]


@pytest.mark.parametrize("platform", CLIENTS)
def test_sdk_objects_reach_the_wire(engine: Engine, platform: str) -> None:
    """A conversation that holds a response's own objects goes through each client as the dicts the API sent."""
    messages = [{"role": "assistant", "content": RESPONSE.content}, {"role": "user", "content": [RESULT]}]
    sent = send(platform, engine.build(platform=platform, **{**REQUEST, "system": LONG, "messages": messages}))
    said = [block.to_dict() for block in RESPONSE.content]
    assert sent.body["messages"] == [{"role": "assistant", "content": said}, messages[1]]
    assert list(sent.marks) == [(1, 0, -1), (2, 0, 0), (2, 1, 0)]
    assert sent.betas == ["context-management-2025-06-27", "compact-2026-01-12"]


def test_marks_stand_only_where_the_sdk_has_a_field_for_them() -> None:
    """The blocks that may be marked are those of the SDK's with ``cache_control``."""
    params = map(get_type_hints, filter(is_typeddict, get_args(BetaContentBlockParam)))
    fields = {get_args(hints["type"])[0]: set(hints) for hints in params}
    found = {kind for kind in fields if markable({"type": kind, "text": "Hi", "content": "So far."})}
    assert found == {kind for kind, names in fields.items() if "cache_control" in names}


@pytest.mark.parametrize("surface", METHODS)
def test_a_surface_takes_what_it_is_handed(engine: Engine, surface: str) -> None:
    """No method of the SDK is handed an argument that it does not take, whichever method's the caller had in mind."""
    messages = Anthropic(api_key="offline").beta.messages
    signatures = {name: set(inspect.signature(getattr(messages, name)).parameters) for name in METHODS}
    every = set().union(*signatures.values()) - set(REQUEST) - {"compaction", "thread", "context_management", "betas"}
    built = engine.build(surface=surface, **REQUEST, **dict.fromkeys(every, omit), context_management=omit)
    assert set(built) <= signatures[surface]
    assert set(built) >= (set(REQUEST) | every) & signatures[surface]


def test_an_unknown_surface_is_refused(engine: Engine) -> None:
    """A method that does not exist is named, with those that do."""
    with pytest.raises(RequestError, match="count_tokens, create, stream, tool_runner"):
        engine.build(surface="batch", **REQUEST)


def test_unknown_arguments_pass_through(engine: Engine) -> None:
    """An argument nobody knows yet reaches the SDK as the object it is."""
    value = object()
    assert engine.build(**REQUEST, of_tomorrow=value)["of_tomorrow"] is value


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"messages": "Hi"}, "messages"),
        ({"messages": {"role": "user"}}, "messages"),
        ({"messages": 3}, "messages"),
        ({"tools": "read"}, "tools"),
        ({"system": 3}, "system"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"context_management": {"edits": "all"}}, "context_management.edits"),
    ],
)
def test_what_cannot_be_read_is_refused(engine: Engine, broken: dict[str, Any], said: str) -> None:
    """A request of another shape is one error that names the argument, in build and in plan."""
    for ask in (engine.build, engine.plan, engine.planner().build):
        with pytest.raises(RequestError) as refusal:
            ask(**{**REQUEST, **broken})
        assert [finding.where.path for finding in refusal.value.findings] == [said]


def test_an_unknown_platform_is_refused(engine: Engine) -> None:
    """A platform that does not exist is refused with those that do."""
    with pytest.raises(RequestError, match="bedrock_mantle"):
        engine.build(platform="bedrok", **REQUEST)


def test_a_refusal_carries_the_report(engine: Engine) -> None:
    """PlanRefused names the errors and carries every finding; plan says the same without raising."""
    request = {**REQUEST, "messages": [*REQUEST["messages"], {"role": "user", "content": [RESULT]}]}
    with pytest.raises(PlanRefused, match="pair-orphan") as refusal:
        engine.build(**request)
    report = engine.plan(**request).report
    assert refusal.value.findings == report.errors
    assert set(refusal.value.report) <= set(report) and set(report.errors) <= set(refusal.value.report)


def test_an_estimate_never_refuses(engine: Engine) -> None:
    """A prompt that is surely too long is an error of plan and check, and build leaves the last word to the API."""
    request = {**REQUEST, "model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "word " * 400_000}]}
    policy = Engine.from_policy({"version": "1"})
    assert not policy.plan(**request).report.ok
    assert policy.build(**request) == request


class Bolder:
    """A plugin that asks for more than the policy gives."""

    name = "bolder"

    @hookimpl
    def ctxengine_contribute_edits(self) -> list[dict[str, Any]]:
        return [{**EDIT, "keep": {"type": "tool_uses", "value": 9}, "exclude_tools": ["mail"]}]


def test_a_plugin_adds_to_the_policy() -> None:
    """The larger keep stands and excluded tools are united."""
    ours = {**EDIT, "keep": {"type": "tool_uses", "value": 4}, "exclude_tools": ["memory"]}
    built = Engine.from_policy({"version": "1", "edits": [ours]}, plugins=[Bolder()]).build(**REQUEST)
    expected = {**EDIT, "keep": {"type": "tool_uses", "value": 9}, "exclude_tools": ["memory", "mail"]}
    assert built["context_management"] == {"edits": [expected]}


def test_a_lock_holds_against_a_plugin() -> None:
    """A locked value stays, the plugin's wish is a warning, and the request is built."""
    ours = {**EDIT, "keep": {"type": "tool_uses", "value": 4}}
    policy = {"version": "1", "edits": [ours], "lock": ["edits.clear_tool_uses_20250919"]}
    engine = Engine.from_policy(policy, plugins=[Bolder()])
    assert engine.build(**REQUEST)["context_management"] == {"edits": [ours]}
    said = [finding for finding in engine.plan(**REQUEST).report if finding.rule == "policy-lock"]
    assert said and {finding.severity for finding in said} == {"warning"}
    assert all("bolder" in finding.message for finding in said)


def test_the_planner_equals_the_engine_at_every_step(conversation: dict[str, Any]) -> None:
    """A conversation growing message by message is built and planned as if each request were the first."""
    engine = Engine.load("ctxengine:agentic")
    planner = engine.planner()
    for request in growing(conversation):
        assert planner.build(**request) == engine.build(**request)
        assert planner.plan(**request).to_dict() == engine.plan(**request).to_dict()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda messages: json.loads(json.dumps(messages)), id="rebuilt objects"),
        pytest.param(lambda messages: messages[:5], id="shorter again"),
        pytest.param(lambda messages: [{"role": "user", "content": LONG}, *messages[1:]], id="another start"),
        pytest.param(lambda messages: [*messages[:-2], {"role": "user", "content": LONG}], id="another end"),
        pytest.param(tuple, id="a tuple"),
    ],
)
def test_the_planner_notices_other_messages(
    conversation: dict[str, Any], change: Callable[[list[Any]], list[Any]]
) -> None:
    """Whatever follows, a planner builds what the engine builds."""
    engine = Engine.load("ctxengine:agentic")
    planner = engine.planner()
    request = {**conversation, "messages": conversation["messages"][:41]}
    planner.build(**request)
    request["messages"] = change(request["messages"])
    assert planner.build(**request) == engine.build(**request)


def test_the_planner_notices_another_head(conversation: dict[str, Any]) -> None:
    """Another model, system prompt or set of tools under the same messages is seen."""
    engine = Engine.load("ctxengine:agentic")
    planner = engine.planner()
    request = {**conversation, "messages": conversation["messages"][:9]}
    for other in ({}, {"model": "claude-haiku-4-5"}, {"system": "Be brief."}, {"tools": []}, {"system": LONG}, {}):
        assert planner.plan(**{**request, **other}).to_dict() == engine.plan(**{**request, **other}).to_dict()


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
SAID: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi"},
    {"role": "user", "content": [RESULT]},
    {"role": "user", "content": [{"type": "tool_addition", "tool": {"type": "tool_definition", "name": "u"}}]},
    {"role": "system", "content": "Be brief."},
    {"role": "assistant", "content": "The answer:"},
    {"role": "assistant", "content": "The answer: "},
    {"role": "assistant", "content": [THOUGHT]},
    {"role": "assistant", "content": [SEARCH]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {}}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t|1", "name": "read", "input": {}}]},
]
CHOICES: list[dict[str, Any]] = [{}, {"tool_choice": {"type": "tool", "name": "u"}}]


@settings(deadline=None)
@given(
    said=st.lists(st.sampled_from(SAID), min_size=2, max_size=9),
    steps=st.lists(st.integers(1, 3), min_size=9, max_size=9),
    model=st.sampled_from(["claude-haiku-4-5", "claude-opus-4-8"]),
    choice=st.sampled_from(CHOICES),
)
def test_the_planner_refuses_what_the_engine_refuses(
    said: list[dict[str, Any]], steps: list[int], model: str, choice: dict[str, Any]
) -> None:
    """However a conversation grows, a planner says of each request what a new engine says of it."""
    engine = Engine.from_policy({"version": "1"})
    planner = engine.planner()
    request = {"model": model, "max_tokens": 9, "tools": [{"name": "read", "input_schema": {}}], **choice}
    for end in accumulate(steps):
        given = {**request, "messages": said[:end]}
        answer = _answer(planner.build, given)
        assert answer and answer == _answer(engine.build, given)


def _answer(build: Callable[..., dict[str, Any]], request: dict[str, Any]) -> Any:
    try:
        return build(**request)
    except PlanRefused as refused:
        return [(finding.rule, finding.where.path) for finding in refused.findings]


def test_reset_forgets() -> None:
    """A message changed in place is seen after a reset, not before."""
    engine = Engine.from_policy(POLICY)
    planner = engine.planner()
    message = {"role": "user", "content": [{"type": "text", "text": LONG}]}
    request = {**REQUEST, "messages": [message]}
    planner.build(**request)
    message["content"] = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert planner.plan(**request).breakpoints
    planner.reset()
    assert planner.build(**request) == engine.build(**request)
    assert not planner.plan(**request).breakpoints


def test_one_engine_for_many_threads(conversation: dict[str, Any]) -> None:
    """Eight threads that share an engine get what one alone gets."""
    requests = [
        {**request, "model": model}
        for model in ("claude-opus-5-5", "claude-sonnet-4-6", "claude-opus-4-6")
        for request in list(growing(conversation, 9))[::20]
    ]
    alone = [Engine.load("ctxengine:agentic").build(**request) for request in requests]
    shared = Engine.load("ctxengine:agentic")
    with ThreadPoolExecutor(8) as pool:
        for built in pool.map(lambda _: [shared.build(**request) for request in requests], range(8)):
            assert built == alone


def test_an_engine_that_has_built_before_says_the_same() -> None:
    """What a policy's rules said for one request does not colour the next one's report."""
    mark = {"cache_control": {"type": "ephemeral"}}
    requests: list[dict[str, Any]] = [
        REQUEST,
        {**REQUEST, "messages": [{"role": "user", "content": [{"type": "text", "text": LONG, **mark}]}]},
        {**REQUEST, "tools": [{"name": "memory", "type": "memory_20250818"}]},
        {**REQUEST, "tools": [{"name": "read", "input_schema": {"type": "object"}}], "system": LONG},
        {**REQUEST, "betas": ["context-1m-2025-08-07"]},
        {**REQUEST, "messages": [{"role": "assistant", "content": RESPONSE.content[:1]}, *REQUEST["messages"]]},
    ]
    policy = {"version": "1", "edits": [{**EDIT, "exclude_tools": ["memory"]}], "cache": {"breakpoints": []}}
    used = Engine.from_policy(policy)
    for request in [*requests, *reversed(requests)]:
        assert used.plan(**request).report == Engine.from_policy(policy).plan(**request).report


@beta_tool
def read(path: str) -> str:
    """Read a file."""
    return path


def test_runnable_tools_stay_runnable() -> None:
    """A tool of the tool runner is never replaced by a dict that carries our mark; one with its own mark is counted."""
    engine = Engine.from_policy({"version": "1", "cache": {"breakpoints": ["tools", "system", "last_message"]}})
    request = {**REQUEST, "system": LONG, "thread": False, "tools": [{"name": "a", "input_schema": {}}, read]}
    built = engine.build(surface="tool_runner", **request)
    assert built["tools"] == request["tools"]
    assert {item.place for item in engine.plan(surface="tool_runner", **request).unplaced} == {"tools"}
    marked = beta_tool(read.func, cache_control={"type": "ephemeral", "ttl": "1h"})
    plan = engine.plan(surface="tool_runner", **{**request, "tools": [marked] * 3})
    assert [mark.place for mark in plan.breakpoints] == ["last_message"]


def test_what_a_surface_does_not_take_has_no_effect() -> None:
    """An argument that is left out for a method does not change the rest of the request."""
    engine = Engine.from_policy(POLICY)
    built = engine.build(surface="tool_runner", **REQUEST, thread=False, compaction={"type": "summarize"})
    assert built == engine.build(surface="tool_runner", **REQUEST, thread=False)


@pytest.mark.parametrize("settings", ["agentic", 3, ["ctxengine:agentic"], {"cach": {}}, {"betas": "x"}])
def test_settings_that_are_no_policy_are_refused(engine: Engine, settings: Any) -> None:
    """Settings of a call go through the same gates as a file."""
    with pytest.raises(PolicyError, match="policy-schema"):
        engine.build(settings=settings, **REQUEST)


def test_what_was_built_is_the_caller_s(engine: Engine) -> None:
    """Changes to what one build gave out show in no other build."""
    trigger = {"type": "input_tokens", "value": 20_000}
    engine = Engine.from_policy({"edits": [{**EDIT, "trigger": trigger, "exclude_tools": ["memory"]}]})
    first = engine.build(**REQUEST)
    (edit,) = first["context_management"]["edits"]
    edit["trigger"]["value"] = 1
    edit["exclude_tools"].append("read")
    (again,) = engine.build(**REQUEST)["context_management"]["edits"]
    assert again == {**EDIT, "trigger": trigger, "exclude_tools": ["memory"]}


def test_one_finding_names_its_own_request() -> None:
    """A beta that the policy lists and one that the request lists are found where they stand, whoever came first."""
    engine = Engine.from_policy({"betas": ["ours-2031-01-01"]})
    request = {**REQUEST, "betas": ["ours-2031-01-01"]}

    def places(**kwargs: Any) -> list[str]:
        return [finding.where.path for finding in engine.plan(**kwargs).report if finding.rule == "beta-unknown"]

    assert places(**REQUEST) == ["betas.0"]
    assert places(**request) == ["betas"]
    assert places(**REQUEST) == ["betas.0"]


def test_a_planner_judges_by_the_platform_of_the_call() -> None:
    """What one platform takes and another refuses is judged anew where the platform is another one."""
    use = {"type": "tool_use", "id": "t", "name": "read", "input": {}, "caller": None}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    asked = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [use]}]
    request = {"model": "claude-opus-4-6", "max_tokens": 9, "messages": [*asked, {"role": "user", "content": [result]}]}
    planner = Engine.from_policy({"version": "1"}).planner()
    planner.build(**request, platform="vertex")
    with pytest.raises(PlanRefused, match="pair-caller"):
        planner.build(**request, platform="bedrock")
    planner.build(**request, platform="vertex")


def test_a_planner_judges_by_the_settings_of_the_call() -> None:
    """Other settings for the same conversation are judged anew."""
    engine = Engine.from_policy({}, plugins=[Strict()])
    planner = engine.planner()
    planner.build(**REQUEST)
    with pytest.raises(PlanRefused, match="strict-cache"):
        planner.build(settings={"name": "x", "cache": {"breakpoints": []}, "budget": {"turns": 1}}, **REQUEST)


class Strict:
    """Refuses every request whose policy has a budget."""

    @hookimpl
    def ctxengine_contribute_rules(self) -> list[Rule]:
        @rule("strict-cache", "error", "There is a budget.", help="have none", source="here")
        def strict(facts: Facts) -> Iterator[Hit]:
            if facts.plan.policy.get("budget"):
                yield Hit("there is a budget")

        return [strict]


def test_an_unknown_edit_comes_before_compaction() -> None:
    """Compaction, which sees what all others left, is the last edit even where another is of no known type."""
    edits = [{"type": "compact_20260112"}, {"type": "clear_images_20310101"}, EDIT]
    plan = Engine.from_policy({}).plan(**REQUEST, context_management={"edits": edits})
    assert [edit.type for edit in plan.edits] == [EDIT["type"], "clear_images_20310101", "compact_20260112"]


def test_an_unknown_surface_is_refused_with_the_nearest() -> None:
    """A misspelt method is named, with the one that is meant."""
    with pytest.raises(RequestError, match=r"no surface is called 'creat'\n  help: did you mean create"):
        Engine().build(surface="creat", **REQUEST)


def test_check_takes_what_build_takes() -> None:
    """Thinking as the request has it, the method, and settings of the call count in a check too."""
    engine = Engine.from_policy({"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]})
    model = "claude-opus-4-6"
    disabled = {"type": "disabled"}

    def rules(**kwargs: Any) -> set[str]:
        return {finding.rule for finding in engine.check(model=model, **kwargs)}

    assert "edit-thinking-requires" in rules(thinking=disabled) & rules(thinking="disabled")
    assert "edit-thinking-requires" not in rules(thinking={"type": "adaptive"}) | rules(thinking="adaptive")
    drop = {"edits": [{"type": "clear_thinking_20251015", "drop": True}]}
    assert "edit-thinking-requires" not in rules(thinking=disabled, settings=drop)
    counted = {**REQUEST, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    assert "count-unsupported" in rules(request=counted, surface="count_tokens") - rules(request=counted)


def test_a_counter_may_be_falsy() -> None:
    """The caller's counter counts whatever its truth value is."""

    class Huge(list[int]):
        def count(self, *_: Any) -> Estimate:
            return Estimate(10**9, 10**9, 10**9, "counted")

    report = Engine.from_policy({}).plan(counter=Huge(), **REQUEST).report
    assert "overflow-input" in {finding.rule for finding in report}


def test_a_refusal_tells_what_refuses_and_can_be_sent_on() -> None:
    """An error that rests on an estimate stands in the report alone; a refusal keeps all through pickling."""
    engine = Engine.from_policy({})
    request = {**REQUEST, "system": "A sentence. " * 500_000, "context_management": {"edits": [{"type": "unknown"}]}}
    with pytest.raises(PlanRefused) as refusal:
        engine.build(**request)
    assert {finding.rule for finding in refusal.value.report.errors} >= {"edit-unknown", "overflow-input"}
    assert "edit-unknown" in str(refusal.value) and "overflow-input" not in str(refusal.value)
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.report, copy.findings) == (
        str(refusal.value),
        refusal.value.report,
        refusal.value.findings,
    )
