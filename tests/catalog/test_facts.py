"""The catalog's own rows: sorted, sourced, dated, and at one with each other."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

import ctxengine
from ctxengine.catalog import ModelFact, default_catalog
from ctxengine.catalog.references import dangling

CATALOG = default_catalog()
FILES = sorted((Path(ctxengine.__file__).parent / "catalog" / "data").glob("*.json"))
PRICED = [model for model in CATALOG.models.values() if model.prices]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_rows(file: Path) -> None:
    """Each file is a table, its rows are sorted, and each row says where it comes from and of which day it is."""
    rows = json.loads(file.read_text())
    assert file.stem in CATALOG.rows
    assert list(rows) == sorted(rows)
    for key, row in rows.items():
        assert row["source"].strip(), key
        assert row["confidence"], key
        assert date.fromisoformat(row["as_of"]) >= date(2024, 1, 1), key


def test_lists_are_sorted() -> None:
    """Lists whose order means nothing are sorted, so that a change shows as one."""
    lists = [row.unsupported_on for row in CATALOG.betas.values()]
    lists += [row.thinking_modes for row in CATALOG.models.values() if row.thinking_modes]
    lists += [row.arguments for row in CATALOG.rows["surfaces"].values()]
    assert [each for each in lists if list(each) != sorted(set(each))] == []


def test_references() -> None:
    """Every name that one table gives of another's row exists there."""
    assert [(each.path, each.message) for each in dangling(CATALOG.rows, CATALOG.rows)] == []


def test_edits_belong_to_platform_features() -> None:
    """The feature of each edit is one that every platform speaks of, and each edit has its own rank."""
    for edit in CATALOG.edits.values():
        assert all(edit.feature in platform.features for platform in CATALOG.platforms.values()), edit.type
        assert set(edit.defaults) | set(edit.merge) <= set(edit.parameters), edit.type
    assert len({edit.rank for edit in CATALOG.edits.values()}) == len(CATALOG.edits)


def test_platforms_speak_of_the_same_features() -> None:
    """Every platform says of every feature whether it has it, or that this is unknown."""
    features = {frozenset(platform.features) for platform in CATALOG.platforms.values()}
    assert len(features) == 1


def test_models_speak_of_every_edit() -> None:
    """Every model says of every edit, and of on-demand compaction, whether it takes it, or that this is unknown."""
    expected = {*CATALOG.edits, "summarize"}
    assert {model.id for model in CATALOG.models.values() if set(model.edits) != expected} == set()


def test_limits() -> None:
    """Every limit bounds something, and its bounds leave room."""
    for limit in CATALOG.limits.values():
        lower = limit.at_least if limit.at_least is not None else limit.more_than
        assert lower is not None or limit.at_most is not None, limit.id
        assert lower is None or limit.at_most is None or lower < limit.at_most, limit.id


@pytest.mark.parametrize("model", PRICED, ids=lambda model: model.id)
def test_prices(model: ModelFact) -> None:
    """Cache prices are the documented multiples of the input price; tiers rise, and the last has no end."""
    for price in model.prices:
        assert price.cache_write_5m == pytest.approx(1.25 * price.input)
        assert price.cache_write_1h == pytest.approx(2 * price.input)
        assert any(price.cache_read == pytest.approx(times * price.input) for times in (0.1, 0.05, 0.025))
    tiers = [price.up_to for price in model.prices]
    assert tiers[-1] is None
    assert tiers[:-1] == sorted(tier for tier in tiers[:-1] if tier is not None)


@pytest.mark.parametrize(
    ("feature", "betas"),
    [
        ("clear_edits", ("context-management-2025-06-27",)),
        ("on_demand_compaction", ("compact-2026-09-04",)),
        ("prompt_caching", ()),
        ("nothing", ()),
    ],
)
def test_betas_for(feature: str, betas: tuple[str, ...]) -> None:
    """A feature's betas are those that still have an effect."""
    assert CATALOG.betas_for(feature) == betas


def test_frozen() -> None:
    """Nobody changes the shared catalog, neither its tables nor its rows."""
    with pytest.raises(TypeError):
        CATALOG.models["claude-nova-6"] = PRICED[0]  # type: ignore[index]
    with pytest.raises(TypeError):
        CATALOG.rows["models"]["claude-nova-6"] = PRICED[0]  # type: ignore[index]
    with pytest.raises(AttributeError):
        PRICED[0].window = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        PRICED[0].edits["compact_20260112"] = None  # type: ignore[index]
