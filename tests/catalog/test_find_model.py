"""Every spelling of a model id finds its row, and its platform where the spelling tells one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctxengine.catalog import default_catalog
from ctxengine.errors import RequestError

CASES = json.loads((Path(__file__).parent / "cases" / "find_model.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["id"] or "empty" for case in CASES])
def test_id(case: dict[str, Any]) -> None:
    """An id resolves to its canonical id and platform; an unknown one stays as it was given."""
    match = default_catalog().find_model(case["id"])
    assert (match.id, match.platform) == (case["model"] or case["id"], case["platform"])
    assert (match.facts.id if match.facts else None) == case["model"]


@pytest.mark.parametrize(("name", "near"), [("bedrok", "did you mean bedrock"), ("moon", "these exist")])
def test_unknown_platform(name: str, near: str) -> None:
    """A platform that is none is refused with the nearest name, where one is near, and with the whole list, once."""
    with pytest.raises(RequestError) as refusal:
        default_catalog().platform(name)
    (finding,) = refusal.value.findings
    assert finding.rule == "platform-unknown"
    assert near in finding.help
    assert str(finding).count(", ".join(default_catalog().platforms)) == 1


def test_model_exceptions_of_a_platform() -> None:
    """Automatic caching on Bedrock hangs on the model; elsewhere and for other features nothing changes."""
    bedrock, anthropic = default_catalog().platform("bedrock"), default_catalog().platform("anthropic")
    assert bedrock.supports("automatic_caching", "claude-opus-4-6") is False
    assert bedrock.supports("automatic_caching", "claude-opus-4-7") is True
    assert bedrock.supports("clear_edits", "claude-opus-4-6") is True
    assert anthropic.supports("automatic_caching", "claude-opus-4-6") is True
    assert bedrock.supports("lookback_collapses_runs") is None
