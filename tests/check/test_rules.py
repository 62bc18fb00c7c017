"""The rules, by cases: ``cases/*.json`` hold a policy and a request, what must be found there and what must not.

A case has a ``name`` and, as needed, ``policy`` (without ``version``), ``request`` (over a short plain one; ``null``
takes an argument away), ``platform``, ``surface`` and ``overlay`` (rows over the catalog). A case without ``request``
is checked for ``model``, ``platform``, ``thinking`` and ``today`` alone. ``present`` lists findings by rule and, where
it matters, severity and path; ``absent`` lists rules. ``{"$repeat": [value, n]}`` stands for a string or list n times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ctxengine import Engine
from ctxengine.catalog import Catalog, default_catalog
from ctxengine.check import NOTICES, RULES, Rule
from ctxengine.findings import Report
from ctxengine.jsontext import read_json, strings_of

PLAIN = {"model": "claude-opus-4-6", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hi"}]}


def _expand(item: dict[str, Any]) -> Any:
    if "$repeat" not in item:
        return item
    value, times = item["$repeat"]
    return value * times


FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
CASES = [(file.stem, case) for file in FILES for case in json.loads(file.read_text(), object_hook=_expand)]


def _request(case: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**PLAIN, **case["request"]}.items() if value is not None}


def _report(case: Mapping[str, Any]) -> Report:
    engine = Engine.from_policy({"version": "1", **case.get("policy", {})}, catalog=_catalog(case))
    platform = case.get("platform")
    if "request" in case:
        return engine.plan(surface=case.get("surface", "create"), platform=platform, **_request(case)).report
    today = date.fromisoformat(case["today"]) if "today" in case else None
    return engine.check(model=case.get("model"), platform=platform, thinking=case.get("thinking"), today=today)


def _catalog(case: Mapping[str, Any]) -> Catalog:
    said = {"source": "this case", "as_of": "2026-11-20"}
    rows = {
        name: {key: {**said, **row} for key, row in table.items()} for name, table in case.get("overlay", {}).items()
    }
    return default_catalog().with_overlay(read_json(json.dumps(rows), "overlay", rule="catalog-overlay"))


def _fits(finding: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    return all(finding[key] == value for key, value in expected.items())


@pytest.fixture(autouse=True)
def _no_mode_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTXENGINE_MODE", raising=False)


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{topic}: {case['name']}") for topic, case in CASES])
def test_case(case: Mapping[str, Any]) -> None:
    """Every finding a case expects is there, with help and without the conversation's text, and none it rules out."""
    report = _report(case)
    found = [finding.to_dict() for finding in report]
    for expected in case.get("present", ()):
        assert any(_fits(finding, expected) for finding in found), f"{expected} is not among\n{report}"
    assert not [str(finding) for finding in report if finding.rule in case.get("absent", ())]
    for finding in report:
        assert finding.severity in _allowed(finding.rule), f"{finding} is worse than its rule says"
        assert finding.message and finding.help, f"{finding.rule} says too little: {finding}"
        assert not [text for text in _texts(case) if text in f"{finding.message} {finding.help}"]


def _allowed(rule_id: str) -> set[str]:
    """What a rule may find: nothing worse than it declares. Findings outside the rules may be anything."""
    order = ["info", "warning", "error"]
    declared = [order.index(rule.severity) for rule in RULES if rule.id == rule_id]
    return set(order[: max(declared, default=2) + 1])


def _texts(case: Mapping[str, Any]) -> Iterator[str]:
    request = case.get("request", {})
    for _, text in strings_of({"system": request.get("system"), "messages": request.get("messages")}):
        if " " in text.strip():
            yield text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_cases(rule: Rule) -> None:
    """Each rule says where it comes from, fires in one case at least and stays silent in another."""
    fires = [case["name"] for _, case in CASES if any(each["rule"] == rule.id for each in case.get("present", ()))]
    silent = [case["name"] for _, case in CASES if rule.id in case.get("absent", ())]
    assert rule.source and rule.summary and rule.help
    assert fires and silent, f"{rule.id}: {len(fires)} case(s) that fire, {len(silent)} that do not"


def test_rules_that_share_an_id_judge_from_different_things() -> None:
    """An id stands for one rule, or for several that differ in what must be known before they can judge."""
    ids = [(rule.id, rule.needs, rule.estimated) for rule in RULES]
    assert sorted(set(ids)) == sorted(ids)


def test_notices_are_no_rules() -> None:
    """What comes up outside the rules has ids of its own."""
    assert not {notice.id for notice in NOTICES} & {rule.id for rule in RULES}


def test_a_finding_points_at_the_line(tmp_path: Path) -> None:
    """A finding on a policy file names the file, and the line of the very field."""
    file = tmp_path / "policy.json"
    edit = '{"type": "clear_tool_uses_20250919",\n "keep": {"type": "tool_uses", "value": -1}}'
    file.write_text(f'{{"version": "1", "edits": [\n{edit}]}}', encoding="utf-8")
    where = next(finding.where for finding in Engine.load(file).check() if finding.rule == "edit-keep-neg")
    assert (where.file, where.line, where.path) == (str(file), 3, "edits.0.keep")
