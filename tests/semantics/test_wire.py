"""Refusals on the wire, by cases: each row of the catalog's table is what some request is answered with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from string import Formatter
from typing import Any

import pytest

from ctxengine.catalog import Catalog, WireFact, default_catalog
from ctxengine.check import RULES, finding_ids
from ctxengine.jsontext import read_json
from ctxengine.semantics import Signer, World, outcome, refusal
from tests.semantics.cases_of import cases_of

PLAIN = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hi"}]}
CATALOG = default_catalog()
CASES = cases_of("wire_errors")
ELSEWHERE = {"bind-edit", "odc-tamper:content", "odc-tamper:tool-changes"}
"""Rows for what only signatures show."""
NOT_ON_THE_WIRE = {
    "beta-bedrock-body",
    "edit-compact-order",
    "model-switch-block",
    "stream-required",
}
"""Errors of ``check`` that another row answers, or that the SDK raises before anything is sent."""
WORLD = World(CATALOG, signer=Signer(b"key", foreign=True), today=date(2026, 11, 20))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["row"]))
def test_case(case: Mapping[str, Any]) -> None:
    """The request is refused with this row, in these words, and its message is whole."""
    platform, surface = case.get("platform"), case.get("surface", "create")
    world = replace(WORLD, catalog=_catalog(case), platform=platform, surface=surface)
    answer = outcome({**PLAIN, **case["request"]}, world)
    assert answer.error is not None
    assert (answer.error.rule, answer.applied_edits) == (case["row"], ())
    assert case.get("message", "") in answer.error.message
    assert ".." not in answer.error.message
    row = world.catalog.wire_errors[case["row"]]
    parts = [re.escape(words) + (".+" if name else "") for words, name, _, _ in Formatter().parse(row.message)]
    assert re.fullmatch("".join(parts), answer.error.message, re.DOTALL), "something in it is filled with nothing"
    body: dict[str, Any] = {"type": row.type, "message": answer.error.message}
    if row.code:
        body["details"] = {"error_code": row.code}
    assert answer.error.status == row.status
    assert answer.error.body() == {"type": "error", "error": body}


def _catalog(case: Mapping[str, Any]) -> Catalog:
    said = {"source": "this case", "as_of": "2026-11-20"}
    rows = {
        name: {key: {**said, **row} for key, row in table.items()} for name, table in case.get("overlay", {}).items()
    }
    return CATALOG.with_overlay(read_json(json.dumps(rows), "overlay", rule="catalog-overlay"))


def test_every_row_has_a_case() -> None:
    """No row that answers a rule is without a request that it answers."""
    rows = {row.id for row in CATALOG.wire_errors.values() if row.rule}
    assert rows - {case["row"] for case in CASES} == ELSEWHERE


@pytest.mark.parametrize("row", CATALOG.wire_errors.values(), ids=lambda row: row.id)
def test_every_row_answers_a_rule(row: WireFact) -> None:
    """Each row names a rule that exists, or says that there is none."""
    assert row.rule is None or row.rule in finding_ids(RULES)
    assert row.rule is None or row.id.split(":")[0] == row.rule


def test_every_error_of_check_is_on_the_wire() -> None:
    """What ``check`` calls an error about a request, the API answers with a row, or somebody else refuses it."""
    errors = {rule.id for rule in RULES if rule.severity == "error" and rule.needs != "policy"}
    answered = {row.rule for row in CATALOG.wire_errors.values()}
    assert errors - answered == NOT_ON_THE_WIRE


def test_the_nine_codes_of_on_demand_compaction() -> None:
    """All nine error codes are there; the transient one is a 529."""
    codes = {row.code: row.status for row in CATALOG.wire_errors.values() if (row.code or "").startswith("compaction_")}
    assert len(codes) == 9
    assert {code for code, status in codes.items() if status != 400} == {"compaction_unavailable"}


def test_unavailable() -> None:
    """A refusal that no request causes can be made by its id."""
    error = refusal(CATALOG, "odc-unavailable")
    assert (error.status, error.type, error.code) == (529, "overloaded_error", "compaction_unavailable")


def test_a_request_the_api_takes_is_not_refused() -> None:
    """All three edits with both betas, thinking and a tool loop pass, and nothing is applied to a short prompt."""
    edits = [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}, {"type": "compact_20260112"}]
    betas = ["context-management-2025-06-27", "compact-2026-01-12"]
    answer = outcome({**PLAIN, "context_management": {"edits": edits}, "betas": betas}, WORLD)
    assert (answer.error, answer.applied_edits, answer.compaction) == (None, (), None)
