"""The host: whom it asks, how it names the answers, and what it makes of plugins that fail."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxengine import Engine, PlanRefused
from ctxengine.check import RULES, Hit, Rule, rule
from ctxengine.edits import Edit
from ctxengine.extension import EditRegistration, WantedBreakpoint, hookimpl
from ctxengine.extension.host import Host
from ctxengine.findings import Finding

CASES = Path(__file__).parent / "cases"
NONSENSE = json.loads((CASES / "nonsense.json").read_text())
BREAKPOINTS = json.loads((CASES / "breakpoints.json").read_text())
CLEAR = "clear_tool_uses_20250919"
EXCLUDE = [{"type": CLEAR, "exclude_tools": ["memory"]}]
SECRET = "sekret"
NO_FACTS: Any = None
AnyHit: Any = Hit
HOOKS = (
    "ctxengine_contribute_edits",
    "ctxengine_contribute_breakpoints",
    "ctxengine_contribute_rules",
    "ctxengine_register_edits",
)


def plugin(name: str, **answers: Any) -> object:
    """A plugin whose hooks give these answers; an exception is raised."""

    def hook(answer: Any) -> Any:
        def given() -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return hookimpl(given)

    return SimpleNamespace(name=name, **{hook_name: hook(answer) for hook_name, answer in answers.items()})


def keeper(name: str, **more: Any) -> object:
    return plugin(name, ctxengine_contribute_edits=EXCLUDE, **more)


def host_of(*objects: object, **settings: Any) -> Host:
    return Host(objects, entry_points=False, **settings)


def a_rule(*hits: Any, id: str = "a-rule", raises: Exception | None = None, **fields: Any) -> Rule:
    def found(facts: Any) -> Any:
        yield from hits
        if raises:
            raise raises

    made = rule(id, "warning", "summary", help="help", source="source", needs="policy")(found)
    return replace(made, **fields)


def failures(findings: Any) -> list[Finding]:
    return [finding for finding in findings if finding.rule == "plugin-failed"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(object()) | st.just({CLEAR}),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "keep", "exclude_tools"]), inner),
    max_leaves=6,
)
PLACES = st.builds(WantedBreakpoint, VALUES, VALUES, VALUES, VALUES)
HITS = st.builds(AnyHit, VALUES, VALUES, VALUES, VALUES)
RULES_OF_ANY = st.builds(
    a_rule,
    VALUES | HITS,
    id=st.just("an-id") | VALUES,
    severity=st.just("info") | VALUES,
    help=st.just("help") | VALUES,
    needs=st.just("policy") | VALUES,
)
ANSWERS = VALUES | st.lists(VALUES | PLACES | RULES_OF_ANY | st.builds(EditRegistration, VALUES, VALUES))


@given(hook=st.sampled_from(HOOKS), answer=ANSWERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_does_harm(hook: str, answer: Any, ask: Any) -> None:
    """Whatever a plugin answers, the host neither raises nor loses what another plugin says."""
    host = host_of(plugin("any", **{hook: answer}), keeper("good"))
    asked = ask(host)
    assert "good" in dict(asked.edits)
    for one in host.rules:
        assert all(isinstance(finding.message, str) for finding in one.findings(NO_FACTS))


def test_answers_come_in_name_order_with_their_names(ask: Any) -> None:
    """Whatever the order plugins are given in, they are heard by name, and each answer is paired with its own."""
    host = host_of(keeper("c"), plugin("b", ctxengine_contribute_edits=None), keeper("a"))
    assert [name for name, _ in ask(host).edits] == ["a", "c"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in NONSENSE])
def test_nonsense_is_a_finding_and_nothing_else_is_lost(case: dict[str, Any], ask: Any) -> None:
    """An answer of the wrong shape is named with its plugin, never quoted, and costs that answer alone."""
    host = host_of(plugin("bad", **{case["hook"]: case["answer"]}), keeper("good"))
    asked = ask(host)
    (failure,) = failures([*host.findings, *asked.findings])
    assert failure.message == f"plugin bad (given as an object): {case['hook']} {case['says']}"
    assert failure.severity == "warning" and SECRET not in str(failure)
    assert [name for name, _ in asked.edits] == ["good"]


@pytest.mark.parametrize(
    "value", [object(), float("nan"), {1, 2}, b"bytes", "\ud800"], ids=["object", "NaN", "set", "bytes", "surrogate"]
)
def test_an_edit_must_be_plain_json(value: Any, ask: Any) -> None:
    """What cannot be sent is refused before it reaches the plan."""
    asked = ask(host_of(plugin("bad", ctxengine_contribute_edits=[{"type": CLEAR, "field": value}])))
    assert asked.edits == () and "is not plain JSON" in failures(asked.findings)[0].message


def test_an_edit_that_contains_itself_is_refused(ask: Any) -> None:
    """A circular answer is nonsense, not a crash."""
    edit: dict[str, Any] = {"type": CLEAR}
    edit["field"] = edit
    assert len(failures(ask(host_of(plugin("bad", ctxengine_contribute_edits=[edit]))).findings)) == 1


def test_an_edit_is_copied(ask: Any) -> None:
    """What a plugin does to its own answer later changes nothing."""
    answer = [{"type": CLEAR, "exclude_tools": ["memory"]}]
    asked = ask(host_of(plugin("a", ctxengine_contribute_edits=answer)))
    answer[0]["exclude_tools"] = []
    assert asked.edits == (("a", ({"type": CLEAR, "exclude_tools": ["memory"]},)),)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in BREAKPOINTS])
def test_breakpoints_stand_where_something_can_be_marked(case: dict[str, Any], ask: Any) -> None:
    """A breakpoint is a block of the request that may carry a mark; anything else is a finding."""
    asked = ask(host_of(plugin("p", ctxengine_contribute_breakpoints=[WantedBreakpoint(*case["at"])])))
    assert [extra.at.path for extra in asked.breakpoints] == ([case["path"]] if "path" in case else [])
    nowhere = f"returned a breakpoint in {case['at'][0]} where there is nothing that can be marked"
    says = [] if "path" in case else [case.get("says", nowhere)]
    expected = [f"plugin p (given as an object): ctxengine_contribute_breakpoints {what}" for what in says]
    assert [failure.message for failure in asked.findings] == expected


@pytest.mark.parametrize("hook", ["ctxengine_contribute_edits", "ctxengine_contribute_breakpoints"])
def test_a_plugin_that_raises_when_asked(hook: str, ask: Any) -> None:
    """Only the class of the exception is told, since its text may hold what the plugin read."""
    asked = ask(host_of(plugin("bad", **{hook: RuntimeError(SECRET)}), keeper("good")))
    (failure,) = failures(asked.findings)
    assert failure.message == f"plugin bad (given as an object): {hook} raised RuntimeError"
    assert SECRET not in str(failure) and [name for name, _ in asked.edits] == ["good"]


@pytest.mark.parametrize("hook", ["ctxengine_contribute_rules", "ctxengine_register_edits"])
def test_a_plugin_that_raises_at_the_start(hook: str, ask: Any) -> None:
    """A hook that fails when the engine is made costs its own answer; the plugin's other hooks still count."""
    host = host_of(keeper("bad", **{hook: KeyError(SECRET)}))
    assert [failure.message for failure in host.findings] == [
        f"plugin bad (given as an object): {hook} raised KeyError"
    ]
    assert [name for name, _ in ask(host).edits] == ["bad"]


def test_strict_makes_a_failure_an_error(ask: Any) -> None:
    """Under strict a build with a failing plugin is refused, and so the finding is an error."""
    host = host_of(
        plugin("a", ctxengine_contribute_edits="x"), plugin("b", ctxengine_contribute_rules="x"), object(), strict=True
    )
    assert [finding.severity for finding in (*host.findings, *ask(host).findings)] == ["error"] * 3


def test_a_rule_that_raises_is_one_finding() -> None:
    """What a rule found before it failed is kept, and its failure is told without the exception's text."""
    (guarded,) = host_of(plugin("p", ctxengine_contribute_rules=[a_rule(Hit("seen"), raises=ValueError(SECRET))])).rules
    seen, failure = guarded.findings(NO_FACTS)
    assert (seen.rule, seen.message) == ("a-rule", "seen")
    assert failure.message == "plugin p (given as an object): its rule a-rule raised ValueError"
    assert guarded.plugin == "p"


@pytest.mark.parametrize(
    "hit",
    ["text", AnyHit(7), AnyHit("m", "messages.0"), AnyHit("m", severity="fatal")],
    ids=["no Hit", "message", "where", "severity"],
)
def test_a_rule_that_yields_nonsense_is_one_finding(hit: Any) -> None:
    """A report holds findings of the right shape, whatever a rule yields."""
    (guarded,) = host_of(plugin("p", ctxengine_contribute_rules=[a_rule(hit)])).rules
    (failure,) = guarded.findings(NO_FACTS)
    assert failure.rule == "plugin-failed" and "its rule a-rule yielded" in failure.message


def test_a_rule_that_is_no_generator_is_one_finding() -> None:
    """A rule whose function returns nothing fails when it runs, and is named."""
    (guarded,) = host_of(plugin("p", ctxengine_contribute_rules=[a_rule(hits=lambda facts: None)])).rules
    assert [finding.rule for finding in guarded.findings(NO_FACTS)] == ["plugin-failed"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (a_rule(id="A Rule"), "returned a rule whose id is not like-this"),
        (a_rule(severity="fatal"), "returned a rule with an unknown severity or needs"),
        (a_rule(needs="luck"), "returned a rule with an unknown severity or needs"),
        (a_rule(id=RULES[0].id), f"returned the rule {RULES[0].id}, which exists already"),
        (a_rule(id="taken"), "returned the rule taken, which exists already"),
    ],
    ids=["id", "severity", "needs", "the engine's", "another plugin's"],
)
def test_rules_that_cannot_be_told_apart_or_judged(broken: Rule, says: str) -> None:
    """A rule needs an id of its own and words the report knows."""
    host = host_of(
        plugin("a", ctxengine_contribute_rules=[a_rule(id="taken")]), plugin("b", ctxengine_contribute_rules=[broken])
    )
    assert [item.id for item in host.rules] == ["taken"]
    assert [says in failure.message for failure in host.findings] == [True]


def test_registrations_that_cannot_be_used(fact: Any) -> None:
    """A type that exists, and a model that is none, are refused."""
    first = plugin("a", ctxengine_register_edits=[EditRegistration(fact, Edit)])
    again = plugin("b", ctxengine_register_edits=[EditRegistration(fact)])
    no_model: Any = dict
    builtin = plugin("c", ctxengine_register_edits=[EditRegistration(replace(fact, type=CLEAR))])
    model = plugin("d", ctxengine_register_edits=[EditRegistration(replace(fact, type="other"), no_model)])
    host = host_of(first, again, builtin, model)
    assert [item.fact.type for item in host.edits] == [fact.type]
    assert ["b" in host.findings[0].message, len(host.findings)] == [True, 3]


def test_edits_of_a_registered_type_are_checked_by_its_model(fact: Any, ask: Any) -> None:
    """A plugin's own edit type is held to the shape it was registered with."""
    registered = plugin("a", ctxengine_register_edits=[EditRegistration(fact, Edit)])
    host = host_of(registered, plugin("b", ctxengine_contribute_edits=[{"type": fact.type, "extra": 1}]))
    assert [failure.message[-5:] for failure in ask(host).findings] == ["extra"]


@pytest.fixture
def fact() -> Any:
    from ctxengine.catalog import default_catalog

    return replace(default_catalog().edits[CLEAR], type="clear_images_20270101")


class Property:
    @property
    def name(self) -> str:
        raise RuntimeError(SECRET)

    @hookimpl
    def ctxengine_contribute_edit(self) -> None: ...


class Argument:
    @hookimpl
    def ctxengine_contribute_edits(self, weather: str) -> None: ...


@pytest.mark.parametrize(
    "bad", [Property(), Argument(), object(), Argument, "plugin"], ids=lambda bad: type(bad).__name__
)
def test_objects_that_are_no_plugins(bad: object, ask: Any) -> None:
    """A hook that does not exist, an argument no hook has, or no hook at all: named, and left out."""
    host = host_of(bad, keeper("good"))
    assert [failure.rule for failure in host.findings] == ["plugin-failed"] and SECRET not in str(host.findings)
    assert [info.name for info in host.plugins if info.hooks] == ["good"]
    assert [name for name, _ in ask(host).edits] == ["good"]


def test_two_objects_of_one_name(ask: Any) -> None:
    """The first counts, and the second is named."""
    host = host_of(keeper("same"), plugin("same", ctxengine_contribute_edits=[]))
    assert len(ask(host).edits) == 1
    assert "its name is taken by plugin same (given as an object)" in host.findings[0].message


def test_the_same_object_twice_is_one_plugin() -> None:
    """Handing a plugin over twice is no mistake worth telling."""
    one = keeper("one")
    host = host_of(one, one)
    assert len(host.plugins) == 1 and host.findings == ()


def test_config_is_the_plugin_s_own(ask: Any) -> None:
    """A plugin reads what the policy holds under its name, and an empty mapping where there is nothing."""
    seen: dict[str, Any] = {}

    class Reads:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def ctxengine_contribute_edits(self, config: Any) -> None:
            seen[self.name] = config

    ask(host_of(Reads("a"), Reads("b")), plugins={"config": {"a": {"x": 1}, "c": {"y": 2}}})
    assert seen == {"a": {"x": 1}, "b": {}}


def test_a_plugin_cannot_change_the_policy(ask: Any) -> None:
    """What a plugin does to the policy and the settings it is given stays with it."""

    class Changes:
        @hookimpl
        def ctxengine_contribute_edits(self, policy: Any, config: Any) -> None:
            policy.get("edits")["clear_tool_uses_20250919"]["exclude_tools"].append("read")
            config["seen"] = True

    policy = {
        "edits": [{"type": "clear_tool_uses_20250919", "exclude_tools": ["memory"]}],
        "plugins": {"config": {"Changes": {}}},
    }
    engine = Engine.from_policy(policy, plugins=[Changes()])
    request = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}
    first, second = engine.plan(**request), engine.plan(**request)
    assert first.edits[0].params["exclude_tools"] == second.edits[0].params["exclude_tools"] == ["memory"]
    assert second.policy.get("plugins.config") == {"Changes": {}}


def test_a_plugin_nobody_installed_is_an_error(ask: Any) -> None:
    """The finding names the plugin, where the policy asks for it, and what there is instead."""
    asked = ask(host_of(keeper("here")), "gone", plugins={"use": ["gone"]})
    (finding,) = asked.findings
    assert (finding.rule, finding.severity, finding.where.path) == ("plugin-unknown", "error", "plugins.use")
    assert "gone" in finding.message and "here" in finding.help
    assert [name for name, _ in asked.edits] == ["here"]


@pytest.mark.parametrize(("value", "on"), [("", True), ("0", True), ("1", False), ("false", False)])
def test_the_switch_turns_all_plugins_off(value: str, on: bool, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CTXENGINE_DISABLE_PLUGINS set, objects too are left out, and a policy that uses plugins is told so."""
    monkeypatch.setenv("CTXENGINE_DISABLE_PLUGINS", value)
    host = host_of(keeper("p", ctxengine_contribute_rules=[a_rule()]))
    asked = ask(host, "gone", plugins={"use": ["gone"]})
    assert (bool(host.plugins), bool(host.rules), bool(asked.edits)) == (on, on, on)
    assert [finding.rule for finding in asked.findings] == (["plugin-unknown"] if on else ["plugin-disabled"])


def test_pluggy_is_imported_only_for_a_plugin() -> None:
    """A host without plugins costs no import."""
    host = "from ctxengine.extension.host import Host; Host(entry_points=False)"
    code = f"import sys; {host}; sys.exit('pluggy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


REQUEST: Any = {"model": "claude-opus-4-6", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}


def test_a_request_is_built_without_a_failing_plugin() -> None:
    """The engine sends what the other plugins and the policy ask for, and the plan names the plugin that failed."""
    plugins = [plugin("bad", ctxengine_contribute_edits=RuntimeError(SECRET)), keeper("good")]
    engine = Engine.from_policy({"version": "1", "edits": [{"type": CLEAR}]}, plugins=plugins)
    edits = engine.build(**REQUEST)["context_management"]["edits"]
    assert edits == EXCLUDE
    assert "plugin bad" in failures(engine.plan(**REQUEST).report)[0].message


def test_a_strict_engine_refuses_a_failing_plugin() -> None:
    """Under strict the same is an error, and nothing is sent."""
    bad = plugin("bad", ctxengine_contribute_edits=RuntimeError(SECRET))
    with pytest.raises(PlanRefused, match="plugin bad"):
        Engine.from_policy({"version": "1"}, plugins=[bad], strict=True).build(**REQUEST)


def test_an_edit_of_an_unknown_type_is_left_out() -> None:
    """A plugin that asks for an edit nobody knows fails, and the request goes out without it."""
    bad = plugin("bad", ctxengine_contribute_edits=[{"type": "clear_dreams_20990101"}])
    engine = Engine.from_policy({"version": "1"}, plugins=[bad])
    assert "context_management" not in engine.build(**REQUEST)
    assert len(failures(engine.plan(**REQUEST).report)) == 1
