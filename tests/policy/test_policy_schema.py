"""The schema: committed, valid, explained, and of one mind with the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.policy import load_layers, policy_schema, presets
from ctxengine.policy.document import Policy
from ctxengine.policy.gate import validator

FILE = Path(__file__).parents[2] / "schemas" / "policy.v1.schema.json"
EXAMPLE = json.loads((Path(__file__).parent / "cases" / "example.json").read_text())
ODD = [
    None,
    True,
    False,
    0,
    -1,
    5,
    5.0,
    0.5,
    10**30,
    "",
    "all",
    "input_tokens",
    [],
    ["tools"],
    {},
    {"set": []},
    {"type": "all"},
]


def test_committed() -> None:
    """The committed schema is what the code generates."""
    remedy = "run: ctxengine schema policy > schemas/policy.v1.schema.json"
    assert FILE.exists(), remedy
    assert json.loads(FILE.read_text()) == policy_schema(), remedy


def test_valid() -> None:
    """The schema is a valid one and takes the whole example and every preset."""
    jsonschema.Draft202012Validator.check_schema(policy_schema())
    plain = jsonschema.Draft202012Validator(policy_schema())
    assert plain.is_valid(EXAMPLE)
    for name in presets():
        (layer,) = load_layers(f"ctxengine:{name}")
        assert plain.is_valid(layer.data)


def test_example_uses_every_key() -> None:
    """The example, which the tests below mutate, has every key of the document and its sections."""
    for part in ("Compaction", "Cache", "Budget", "Guard", "Checkpoint", "Plugins"):
        assert EXAMPLE[part.lower()].keys() == policy_schema()["$defs"][part]["properties"].keys() - {"$comment"}
    assert EXAMPLE.keys() == policy_schema()["properties"].keys()


def test_explained() -> None:
    """Every key is explained, and every key of a layer's values says how it merges."""
    for name, part in {"Policy": policy_schema(), **policy_schema()["$defs"]}.items():
        for key, schema in part.get("properties", {}).items():
            assert "description" in schema or "const" in schema, f"{name}.{key}"
    for name in ("Settings", "Compaction", "Client", "Cache", "Budget", "Guard", "Checkpoint", "Plugins"):
        for key, schema in policy_schema()["$defs"][name]["properties"].items():
            assert "x-merge" in schema or key == "$comment", f"{name}.{key}"


def test_no_unions_by_trial() -> None:
    """No ``oneOf`` and no null branch is left, whose errors would say nothing."""
    text = json.dumps(policy_schema())
    assert '"oneOf"' not in text and '"null"' not in text and '"discriminator"' not in text


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from paths(child, (*path, key))


def mutated(document: Any, path: tuple[str | int, ...], how: str, value: Any) -> Any:
    """A copy with one value replaced, taken out, or joined by another key."""
    copy = json.loads(json.dumps(document))
    *parents, last = path
    holder = copy
    for part in parents:
        holder = holder[part]
    if how == "replace":
        holder[last] = value
    elif how == "remove":
        del holder[last]
    elif isinstance(holder[last], dict):
        holder[last]["stray"] = value
    return copy


@given(
    st.sampled_from([path for path in paths(EXAMPLE) if path and path[0] != "$schema" and path[-1] != "$comment"]),
    st.sampled_from(["replace", "remove", "add"]),
    st.sampled_from(ODD),
)
@settings(deadline=None, max_examples=400)
def test_both_gates_agree(path: tuple[str | int, ...], how: str, value: Any) -> None:
    """Whatever is changed in the example, schema and models take it or refuse it alike."""
    document = mutated({key: item for key, item in EXAMPLE.items() if not key.startswith("$")}, path, how, value)
    try:
        Policy.model_validate(document)
        fits = True
    except ValueError:
        fits = False
    assert validator().is_valid(document) == fits


@pytest.mark.parametrize("name", sorted(set(policy_schema()["$defs"]) - {"OpaqueEdit"}))
def test_closed(name: str) -> None:
    """No object takes keys nobody knows, but the edit that is only a row of the catalog."""
    assert policy_schema()["$defs"][name]["additionalProperties"] is False
