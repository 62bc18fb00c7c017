"""The overlay's schema is in step with the code and agrees with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from ctxengine.catalog import default_catalog
from ctxengine.catalog.schema import catalog_schema
from ctxengine.errors import CatalogError
from ctxengine.jsontext import read_json

FILE = Path(__file__).parents[2] / "schemas" / "catalog.v1.schema.json"
CASES = json.loads((Path(__file__).parent / "cases" / "overlay.json").read_text())
BEYOND_THE_SCHEMA = (
    "a new row that is not whole",
    "an empty source",
    "no regular expression",
    "a regular expression that cannot be built",
    "a tokenizer that is no row",
    "a beta that is no row",
    "nothing left that compacts",
    "an alias for no model",
)


def test_committed() -> None:
    """The committed schema is what the code generates."""
    remedy = "run: ctxengine schema catalog > schemas/catalog.v1.schema.json"
    assert FILE.exists(), remedy
    assert json.loads(FILE.read_text()) == catalog_schema(), remedy


def test_own_rows() -> None:
    """The schema is a valid one and takes every row that ships."""
    jsonschema.Draft202012Validator.check_schema(catalog_schema())
    jsonschema.validate(default_catalog().to_dict(), catalog_schema())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_agrees_with_the_reader(case: dict[str, Any]) -> None:
    """The schema refuses what the reader refuses, but for what needs the other rows to be judged."""
    fits = jsonschema.Draft202012Validator(catalog_schema()).is_valid(json.loads(case["text"]))
    assert fits == ("then" in case or case["name"] in BEYOND_THE_SCHEMA)


@pytest.mark.parametrize("table", [name for name, rows in default_catalog().rows.items() if rows])
def test_every_field_is_checked(table: str) -> None:
    """A value of an impossible type in any field of any table is refused by reader and schema alike."""
    rows = default_catalog().to_dict()[table]
    validator = jsonschema.Draft202012Validator(catalog_schema())
    key, row = next(iter(rows.items()))
    for field, value in row.items():
        document = {table: {key: {**row, field: 1 if isinstance(value, list) else [[1]]}}}
        assert not validator.is_valid(document), field
        with pytest.raises(CatalogError):
            default_catalog().with_overlay(read_json(json.dumps(document), "overlay.json", rule="catalog-overlay"))
