"""A file of facts laid over the catalog: what it changes, and how it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.errors import CatalogError
from ctxengine.jsontext import JsonText, read_json

CASES = json.loads((Path(__file__).parent / "cases" / "overlay.json").read_text())
GOOD = [case for case in CASES if "then" in case]
BAD = [case for case in CASES if "error" in case]


def overlay(text: str) -> JsonText:
    return read_json(text, "overlay.json", rule="catalog-overlay")


def laid_over(text: str) -> Catalog | CatalogError:
    try:
        return default_catalog().with_overlay(overlay(text))
    except CatalogError as refusal:
        return refusal


def value_at(catalog: Catalog, path: str) -> Any:
    table, key, field = path.split(".")
    return getattr(catalog.rows[table][key], field)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case["name"])
def test_accepted(case: dict[str, Any]) -> None:
    """An overlay's fields stand in the new catalog, and the one it was laid over is as before."""
    before = default_catalog().to_dict()
    changed = default_catalog().with_overlay(overlay(case["text"]))
    assert {path: value_at(changed, path) for path in case["then"]} == case["then"]
    assert default_catalog().to_dict() == before


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_refused(case: dict[str, Any]) -> None:
    """A wrong overlay is refused with path and line, and with the nearest name where one is misspelt."""
    with pytest.raises(CatalogError) as refusal:
        default_catalog().with_overlay(overlay(case["text"]))
    (finding,) = refusal.value.findings
    expected = case["error"]
    assert expected["message"] in finding.message
    assert expected.get("help", "") in finding.help
    where = finding.where
    assert (where.path, where.file, where.line) == (expected["path"], "overlay.json", expected["line"])


def test_a_file_a_mapping_and_a_text_are_one(tmp_path: Path) -> None:
    """An overlay may be given as a file, as what stands in one, or read already; what is wrong is told alike."""
    good, bad = ({"models": {"claude-opus-5-5": {**row, "source": "us", "as_of": "2026-11-20"}}} for row in (
        {"window": 5}, {"windw": 5},
    ))  # fmt: skip
    for rows, where in ((good, ""), (bad, "models.claude-opus-5-5.windw")):
        file = tmp_path / "rows.json"
        file.write_text(json.dumps(rows))
        for given_as in (rows, file, str(file), overlay(json.dumps(rows))):
            if not where:
                assert default_catalog().with_overlay(given_as).models["claude-opus-5-5"].window == 5
                continue
            with pytest.raises(CatalogError, match="windw") as refusal:
                default_catalog().with_overlay(given_as)
            assert [finding.where.path for finding in refusal.value.findings] == [where]
    with pytest.raises(CatalogError, match="missing"):
        default_catalog().with_overlay(tmp_path / "missing.json")


def test_all_at_once() -> None:
    """Every wrong row is reported, not only the first."""
    text = '{"modles": {}, "betas": 1, "models": {"claude-opus-5-5": {"windw": 1}}}'
    with pytest.raises(CatalogError) as refusal:
        default_catalog().with_overlay(overlay(text))
    paths = [finding.where.path for finding in refusal.value.findings]
    assert paths == ["modles", "betas", "models.claude-opus-5-5.windw"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.data())
def test_any_value_anywhere(data: st.DataObject) -> None:
    """Whatever an overlay puts into a field, it is taken or refused, and what is taken can be written out again."""
    table = data.draw(st.sampled_from(sorted(default_catalog().rows)))
    key, row = data.draw(st.sampled_from(sorted(default_catalog().to_dict()[table].items(), key=lambda item: item[0])))
    changed = {**row, data.draw(st.sampled_from(sorted(row))): data.draw(JSON)}
    text = json.dumps({table: {key: changed}})
    outcome = laid_over(text)
    if isinstance(outcome, CatalogError):
        assert outcome.findings[0].where.path.startswith(f"{table}.{key}")
    else:
        assert outcome.to_dict()[table][key] == changed


def test_nothing_changes() -> None:
    """The catalog's own rows, laid over it as an overlay, change nothing."""
    catalog = default_catalog()
    assert catalog.with_overlay(overlay(json.dumps(catalog.to_dict()))).to_dict() == catalog.to_dict()


def test_alias_for_an_opaque_id() -> None:
    """An overlay names the model behind an id that does not tell it."""
    profile = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/a1b2"
    row = {"pattern": profile, "model": "claude-opus-5", "platform": "bedrock"}
    row |= {"source": "us", "as_of": "2026-11-20", "confidence": "H"}
    catalog = default_catalog().with_overlay(overlay(json.dumps({"aliases": {"ours": row}})))
    match = catalog.find_model(profile)
    assert (match.id, match.platform) == ("claude-opus-5", "bedrock")
