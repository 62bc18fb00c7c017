"""What the API reported and billed for given edits, and the texts of its refusals, against ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.semantics import apply_edits, outcome
from ctxengine.semantics.applying import counter_for
from tests.corpus import CORPUS

RECORDINGS = CORPUS.parent / "recordings"
FILE = RECORDINGS / "GROUND_TRUTH.dev.json"
CATALOG = default_catalog()
pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not FILE.exists(), reason="no recordings here")]

TRUTH: Mapping[str, Any] = (
    json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"cases": [], "errors": []}
)
CASES = {case["id"]: case for case in TRUTH["cases"]}
OTHER_CAUSE = ("system.0.cache_control.ephemeral.scope",)
"""Refused for a field that has nothing to do with context."""


def _request(case: Mapping[str, Any]) -> dict[str, Any]:
    body = json.loads((RECORDINGS / case["request_file"]).read_text(encoding="utf-8"))
    if "interactions" in body:  # whose headers are blacked out
        body = body["interactions"][0]["request"]["body"]
    betas = body.pop("anthropic_beta", ["context-management-2025-06-27"])
    body.pop("anthropic_version", None)
    return {**body, "model": case["model"], "betas": betas}


def _band(model: str) -> tuple[float, float, int]:
    facts = CATALOG.find_model(model).facts
    assert facts is not None and facts.tokenizer is not None
    row = CATALOG.tokenizers[facts.tokenizer]
    return row.low, row.high, row.slack


@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if "request_file" in case], ids=lambda case: case["id"]
)
def test_recorded_requests(case: Mapping[str, Any]) -> None:
    """The same uses are cleared; tokens lie in the band that the estimate states."""
    answer, observed = outcome(_request(case)), case["observed"]
    low, high, slack = _band(case["model"])
    assert answer.error is None
    cleared = [entry["cleared_tool_uses"] for entry in answer.applied_edits]
    assert cleared == [entry["cleared_tool_uses"] for entry in observed.get("applied_edits", [])]
    for ours, theirs in zip(answer.applied_edits, observed.get("applied_edits", []), strict=True):
        tokens = ours["cleared_input_tokens"]
        assert tokens * low - slack <= theirs["cleared_input_tokens"] <= tokens * high + slack
    if case["id"] != "server-tool-not-cleared":  # most of its tokens were found while it was answered
        assert answer.input_tokens * low - slack <= observed["input_tokens"] <= answer.input_tokens * high + slack


def test_the_drop_that_was_billed() -> None:
    """What clearing freed from the recorded request, as billed, lies in our band too."""
    billed = CASES["ledger-opus-edited"]["derived"]["billed_reduction"]
    applied = apply_edits(_request(CASES["ledger-opus-edited"]))
    low, high, slack = _band("claude-opus-5-5")
    freed = applied.original_tokens - applied.input_tokens
    assert freed * low - slack <= billed <= freed * high + slack


def test_thinking() -> None:
    """Both turns of thinking go at a new question with keep 1; how many tokens that is hangs on text we do not have."""
    observed = CASES["thinking-opus"]["observed"]["applied_edits"][0]
    thought = {"type": "thinking", "thinking": "Let me see.", "signature": "s"}
    messages: list[dict[str, Any]] = [{"role": "user", "content": "a"}]
    for _ in range(2):
        messages += [
            {"role": "assistant", "content": [thought, {"type": "text", "text": "b"}]},
            {"role": "user", "content": "c"},
        ]
    edits = [{"type": observed["type"], "keep": {"type": "thinking_turns", "value": 1}}]
    request = {"model": "claude-opus-5-5", "messages": messages, "context_management": {"edits": edits}}
    [entry] = apply_edits(request).applied_edits
    assert entry["cleared_thinking_turns"] == observed["cleared_thinking_turns"]
    assert entry["cleared_input_tokens"] == 2 * counter_for(CATALOG, CATALOG.models["claude-opus-5-5"])(thought)


def test_nothing_saved() -> None:
    """Results of a few characters are left alone, as they were."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "a " * 400}]
    for id, text in (("t1", "41"), ("t2", "7")):
        messages += [
            {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "add", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]},
        ]
    trigger, keep = {"type": "input_tokens", "value": 100}, {"type": "tool_uses", "value": 1}
    edits = [{"type": "clear_tool_uses_20250919", "trigger": trigger, "keep": keep}]
    request = {"model": "claude-opus-5-5", "messages": messages, "context_management": {"edits": edits}}
    assert list(apply_edits(request).applied_edits) == CASES["probe-CE1-nothing-saved"]["observed"]["applied_edits"]


RECORDED = [error for error in TRUTH["errors"] if not error["message"].startswith(OTHER_CAUSE)]
"""All but the one about a field that has nothing to do with context."""


@pytest.mark.parametrize("error", RECORDED, ids=lambda error: error["message"][:60])
def test_refusals_are_worded_as_recorded(error: Mapping[str, Any]) -> None:
    """Each recorded text fits a row of the table, with the same status and code."""
    text = error["message"].replace(" … ", " found using 'type' ")
    fits = [row for row in CATALOG.wire_errors.values() if _is_like(row.message, text)]
    assert any((row.status, row.code) == (error["status"], error.get("details", {}).get("error_code")) for row in fits)


def _is_like(template: str, text: str) -> bool:
    """Whether a text is how a row's template may begin, or end, once it is filled in."""
    parts = re.split(r"(\{\w+\})", template)
    pattern = "".join(
        ".+" if part.startswith("{") and part.endswith("}") else re.escape(part) for part in parts if part
    )
    wild = template.startswith("{said}")
    return not wild and (bool(re.search(pattern, text)) or (len(text) > 40 and _prefix_fits(template, text)))


def _prefix_fits(template: str, text: str) -> bool:
    """Whether the words of a text stand in a template: older replies end sooner, or lack the path."""
    words = re.sub(r"messages\.\d+\.content\.\d+", "{path}", text)
    words = re.sub(r"edits\.\d+\.\w+", "edits.{index}.{edit}", words).replace(
        "clear_thinking_20251015` strategy", "{edit}` strategy"
    )
    return words in template
