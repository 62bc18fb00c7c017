"""What the live Models API says, laid over the catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta import BetaModelInfo

from ctxengine.catalog import default_catalog
from ctxengine.errors import CatalogError

CASES = json.loads((Path(__file__).parent / "cases" / "capabilities.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_answer(case: dict[str, Any]) -> None:
    """What the answer says counts; what it leaves null, or says in an odd shape, stays as it was."""
    row = default_catalog().with_capabilities(case["answer"], as_of="2026-11-20").to_dict()["models"][case["model"]]
    assert {field: row[field] for field in case["then"]} == case["then"]


def test_sdk_object() -> None:
    """The SDK's own object is read like the same answer as a dict."""
    answer: dict[str, Any] = {"id": "claude-nova-6", "type": "model", "display_name": "Nova", "lifecycle": "active"}
    answer |= {"created_at": "2026-11-19T00:00:00Z", "max_input_tokens": 7}
    from_object = default_catalog().with_capabilities(BetaModelInfo.model_validate(answer), as_of="2026-11-20")
    from_dict = default_catalog().with_capabilities(answer, as_of="2026-11-20")
    assert from_object.models["claude-nova-6"] == from_dict.models["claude-nova-6"]
    assert from_object.models["claude-nova-6"].window == 7
    assert "claude-nova-6" not in default_catalog().models


@pytest.mark.parametrize("answer", [None, 3, {}, {"id": 5}], ids=repr)
def test_no_answer(answer: Any) -> None:
    """Something that is no model information is refused."""
    with pytest.raises(CatalogError, match="no id"):
        default_catalog().with_capabilities(answer)
