"""From policy and request to what is sent, by cases: ``cases/*.json``, a file for each pass.

A case has a ``name`` and, as needed, ``policy`` (one or a list of layers, without ``version``), ``request`` (over a
plain one; ``null`` takes an argument away), ``platform``, ``surface``, ``settings`` and ``environment``. What must come
out:

- ``unchanged``: the request equals what was given
- ``sent``: arguments as they are sent; ``null`` where there must be none
- ``marks``: every cache mark of the request, path → ttl
- ``from``: ``[message, block]``, the first block of the history that is sent
- ``present``, ``absent``: findings, by rule and where it matters severity and path, and rules that must not fire
- ``refused``: rules for whose errors the request is refused
- ``explained``: texts that ``explain`` holds

``{"$repeat": [value, n]}`` stands for a string or list n times over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ctxengine import Engine, Plan, PlanRefused

PLAIN = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hi"}]}


def _expand(item: dict[str, Any]) -> Any:
    if "$repeat" not in item:
        return item
    value, times = item["$repeat"]
    return value * times


FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text(), object_hook=_expand)]


def marks_of(request: Mapping[str, Any]) -> dict[str, str]:
    """Path → ttl of every cache mark of a request; the top level's stands under ""."""
    return {path: mark.get("ttl", "5m") for path, mark in _marks(request, "")}


def _marks(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("cache_control") is not None:
            yield path, value["cache_control"]
        entries = [(name, value[name]) for name in ("tools", "system", "messages", "content") if name in value]
    else:
        entries = list(enumerate(value)) if isinstance(value, list) else []
    for name, inner in entries:
        yield from _marks(inner, f"{path}.{name}".lstrip("."))


def _first_sent(messages: list[Any], case: Mapping[str, Any]) -> list[Any]:
    index, block = case["from"]
    head = messages[index]
    return [{**head, "content": head["content"][block:]} if block else head, *messages[index + 1 :]]


def _bare(messages: list[Any]) -> Any:
    """Messages without marks, strings as blocks."""
    return json.loads(json.dumps(messages), object_hook=_unmarked)


def _unmarked(item: dict[str, Any]) -> dict[str, Any]:
    item.pop("cache_control", None)
    if "role" in item and isinstance(item["content"], str):
        return {**item, "content": [{"type": "text", "text": item["content"]}]}
    return item


def _check_plan(case: Mapping[str, Any], plan: Plan) -> None:
    found = [finding.to_dict() for finding in plan.report]
    for expected in case.get("present", ()):
        fits = [each for each in found if all(each[key] == value for key, value in expected.items())]
        assert fits, f"{expected} is not among\n{plan.report}"
    assert not [str(finding) for finding in plan.report if finding.rule in case.get("absent", ())]
    text = plan.explain()
    assert not [part for part in case.get("explained", ()) if part not in text], text


def _check_built(case: Mapping[str, Any], given: Mapping[str, Any], built: Mapping[str, Any]) -> None:
    if case.get("unchanged"):
        assert built == given
    for name, value in case.get("sent", {}).items():
        assert built.get(name) == value
        assert value is not None or name not in built
    if "marks" in case:
        assert marks_of(built) == case["marks"]
    if "from" in case:
        assert _bare(built["messages"]) == _bare(_first_sent(given["messages"], case))


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTXENGINE_MODE", raising=False)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{pass_}: {case['name']}") for pass_, case in CASES])
def test_case(case: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent and said is what the case expects, and the arguments are as they were."""
    for name, value in case.get("environment", {}).items():
        monkeypatch.setenv(name, value)
    policies = case.get("policy", {})
    layers = policies if isinstance(policies, list) else [policies]
    engine = Engine.from_policy(*({"version": "1", **layer} for layer in layers), platform=case.get("platform"))
    given = {name: value for name, value in {**PLAIN, **case.get("request", {})}.items() if value is not None}
    around = {"surface": case.get("surface", "create"), "settings": case.get("settings")}
    frozen = json.dumps(given)
    _check_plan(case, engine.plan(**around, **given))
    if "refused" in case:
        with pytest.raises(PlanRefused) as refusal:
            engine.build(**around, **given)
        assert sorted({finding.rule for finding in refusal.value.findings}) == case["refused"]
    else:
        _check_built(case, given, engine.build(**around, **given))
    assert json.dumps(given) == frozen
