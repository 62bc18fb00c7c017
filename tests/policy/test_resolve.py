"""Layers to one policy: each case names what comes in, what comes out, and who is said to have asked for it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ctxengine.errors import PolicyError
from ctxengine.policy import Layer, Resolved, Situation, layer_from_mapping, load_layers, resolve

CASES = json.loads((Path(__file__).parent / "cases" / "resolve.json").read_text())
ANYWHERE = {"model": "claude-opus-5-5", "platform": "anthropic", "thinks": None, "tools": []}


def situation(**given: Any) -> Situation:
    asked = {**ANYWHERE, **given}
    return Situation(
        asked["model"], asked["platform"], asked["thinks"], tuple((name, type) for name, type in asked["tools"])
    )


def resolved(case: dict[str, Any], layers: list[Layer]) -> Resolved:
    return resolve(
        layers,
        situation(**case.get("situation", {})),
        arguments=case.get("arguments"),
        request_edits=case.get("request_edits"),
        contributions=[(name, edits) for name, edits in case.get("contributions", ())],
        edit_words=case.get("edit_words"),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["it"])
def test_resolve(case: dict[str, Any]) -> None:
    """Values, origins, locks and findings are those of the case, and what came in is as it was."""
    layers = [layer_from_mapping(data, f"layer{index}") for index, data in enumerate(case["layers"])]
    before = copy.deepcopy((case, [layer.data for layer in layers]))
    made = resolved(case, layers)
    assert made.values == case["values"]
    assert {path: str(made.origin(path)) for path in case.get("origins", {})} == case.get("origins", {})
    assert {path: str(made.locks[path]) for path in case.get("locks", {})} == case.get("locks", {})
    assert [[item.rule, item.severity, item.where.path] for item in made.findings] == case.get("findings", [])
    assert all(text in str(made.findings[0]) for text in case.get("says", ()))
    assert (case, [layer.data for layer in layers]) == before
    assert resolved(case, layers) == made


def test_places() -> None:
    """A value from a file knows the line and column it stands in."""
    made = resolve(load_layers("ctxengine:agentic"), situation())
    place = made.origin("compaction.trigger").place
    assert (place.file, place.line is not None) == ("ctxengine:agentic", True)


def test_get() -> None:
    """What no layer set is absent: the default of the one who asks, and the engine's doing."""
    made = resolve([layer_from_mapping({"cache": {"ttl": {"system": "1h"}}})], situation())
    assert made.get("cache.ttl.system", "5m") == "1h"
    assert made.get("cache.ttl.tools", "5m") == "5m"
    assert made.get("budget") is None
    assert made.origin("cache.ttl.tools").path == "cache"
    assert made.origin("budget.usd").source == "engine"


def test_arguments_pass_the_gate() -> None:
    """Arguments are a policy like any other: a misspelt key is an error."""
    with pytest.raises(PolicyError, match="did you mean mode"):
        resolve([], situation(), arguments={"mod": "off"})
