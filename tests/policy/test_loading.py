"""Policies from files and from code: what is no policy is said with place and remedy, and never quoted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctxengine.edits import EDITS
from ctxengine.errors import PolicyError
from ctxengine.policy import layer_from_mapping, layers_from_mapping, load_layers

CASES = Path(__file__).parent / "cases"
MALFORMED = json.loads((CASES / "malformed.json").read_text())
EXTENDS = json.loads((CASES / "extends.json").read_text())


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["it"])
def test_malformed(case: dict[str, Any], tmp_path: Path) -> None:
    """One finding per mistake, with file, line, path, what is wrong and what would be right."""
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(case["policy"], indent=1))
    with pytest.raises(PolicyError) as caught:
        load_layers(file, known_edits=EDITS)
    found = caught.value.findings
    assert [item.where.path for item in found] == [path for path, _, _ in case["said"]]
    for item, (_, message, remedy) in zip(found, case["said"], strict=True):
        assert (item.rule, item.severity, item.where.file) == ("policy-schema", "error", str(file))
        assert item.where.line is not None and item.where.column is not None
        assert message in item.message and remedy in item.help and item.help


@pytest.mark.parametrize("case", EXTENDS, ids=lambda case: case["it"])
def test_extends(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files come base first, each once; a reference that leads nowhere, away or round is refused where it stands."""
    monkeypatch.chdir(tmp_path)
    for name, document in case["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(json.dumps(document))
    entries = case.get("entries", ["a.json"])
    if "order" in case:
        assert [layer.name for layer in load_layers(*entries)] == case["order"]
    else:
        with pytest.raises(PolicyError) as caught:
            load_layers(*entries)
        (finding,) = caught.value.findings
        assert finding.where.path == case["path"]
        assert finding.where.file is not None
        assert all(text in str(finding) for text in case["says"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"version": "1", "mode": "off", "mode": "off"}', "twice"),
        ('{"version": "1", "budget": {"usd": NaN}}', "NaN"),
        ('{"version": "1"', "not valid JSON"),
        ('{"version": "1", "plugins": {"config": {"p": ' + '{"a":' * 70 + "1" + "}" * 73, "64 levels"),
        ('{"version": "1", "description": "' + "x" * (1 << 20) + '"}', "1,048,576"),
        ('{"version": "1", "name": "\\ud800"}', "surrogate"),
    ],
    ids=["duplicate key", "NaN", "cut off", "deep", "large", "half a character"],
)
def test_no_json(text: str, says: str, tmp_path: Path) -> None:
    """Text that is no JSON, too large or too deep is refused as a policy, with the cap in the message."""
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(PolicyError, match=says):
        load_layers(file)


def test_symbolic_link(tmp_path: Path) -> None:
    """A link inside the folder does not lead out of it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.json").write_text('{"version": "1"}')
    (tmp_path / "in" / "link.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "in" / "a.json").write_text('{"version": "1", "extends": ["link.json"]}')
    with pytest.raises(PolicyError, match="leaves the folder"):
        load_layers(tmp_path / "in" / "a.json")


def test_notes(tmp_path: Path) -> None:
    """``$schema`` and ``$comment`` may stand in a file, the latter in any object, and are not part of the layer."""
    note = {"$comment": "why"}
    document = {
        "$schema": "./policy.v1.schema.json",
        "version": "1",
        **note,
        "cache": {**note, "ttl": {**note, "system": "1h"}, "breakpoints": {**note, "set": ["system"]}},
        "edits": [{"type": "compact_20260112", **note, "trigger": {"type": "input_tokens", "value": 1, **note}}],
        "plugins": {"config": {**note, "p": {**note, "x": 1}}},
        "overrides": [{**note, "when": {**note}, "set": {**note}}],
    }
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document))
    (layer,) = load_layers(file)
    assert "$" not in json.dumps(layer.data)
    assert layer.data["plugins"] == {"config": {"p": {"x": 1}}}


def test_values_are_not_quoted(tmp_path: Path) -> None:
    """What a user wrote does not turn up in an error, however long."""
    secret = "sk-" + "s" * 5000
    with pytest.raises(PolicyError) as caught:
        layer_from_mapping({"mode": secret, secret: 1, "edits": [{"type": secret, "drop": secret}], "lock": [secret]})
    assert secret not in str(caught.value)
    with pytest.raises(PolicyError) as caught:
        layers_from_mapping({"edits": [{"type": secret}], "lock": [secret]}, known_edits=EDITS)
    assert secret not in str(caught.value)


def test_known_edits(tmp_path: Path) -> None:
    """A type without a model is taken where someone knows it: the caller, or the policy's own catalog file."""
    entry = {"version": "1", "edits": [{"type": "new_20270101", "anything": {"goes": 1}}]}
    (layer,) = layers_from_mapping(entry, known_edits=["new_20270101"])
    assert layer.data["edits"][0]["anything"] == {"goes": 1}
    (tmp_path / "rows.json").write_text('{"edits": {"new_20270101": {}}}')
    (tmp_path / "policy.json").write_text(json.dumps({**entry, "catalog": "./rows.json"}))
    (layer,) = load_layers(tmp_path / "policy.json", known_edits=EDITS)
    assert layer.catalog is not None and layer.catalog.value == {"edits": {"new_20270101": {}}}


def test_a_catalog_file_that_is_no_json(tmp_path: Path) -> None:
    """A policy's catalog file is read once, and is a catalog's mistake to whoever reads the finding."""
    (tmp_path / "rows.json").write_text("{")
    (tmp_path / "policy.json").write_text('{"version": "1", "catalog": "./rows.json"}')
    for known in (None, EDITS):
        with pytest.raises(PolicyError, match=r"rows\.json.*catalog-overlay"):
            load_layers(tmp_path / "policy.json", known_edits=known)


def test_in_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy in code needs no version, may extend, and no longer hangs on the caller's objects."""
    monkeypatch.chdir(tmp_path)
    Path("base.json").write_text('{"version": "1"}')
    mine: dict[str, Any] = {"extends": ["ctxengine:chat", "base.json"], "betas": ("a",)}
    layers = layers_from_mapping(mine, "mine")
    mine["betas"] = ()
    assert [layer.name for layer in layers] == ["ctxengine:chat", "base.json", "mine"]
    assert layers[-1].data["betas"] == ["a"]
    with pytest.raises(PolicyError, match="layers_from_mapping"):
        layer_from_mapping(mine)


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, {1, 2}, b"x"], ids=["nan", "key", "set", "bytes"])
def test_no_json_in_code(value: object) -> None:
    """A value no JSON file could hold is refused in code too."""
    with pytest.raises(PolicyError):
        layer_from_mapping({"budget": {"usd": value}})


def test_a_circle_in_code() -> None:
    """An object that holds itself is too deep, not a crash."""
    inner: dict[str, Any] = {}
    inner["again"] = inner
    with pytest.raises(PolicyError, match="64 levels"):
        layer_from_mapping({"plugins": {"config": {"p": inner}}})
