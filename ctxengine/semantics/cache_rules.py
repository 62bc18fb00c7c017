"""How the prompt cache treats one model on one platform: the catalog's facts, and switches where it has none."""

from __future__ import annotations

from dataclasses import dataclass

from ctxengine.catalog import Catalog
from ctxengine.edits.switches import Switches
from ctxengine.target import Target


@dataclass(frozen=True, slots=True)
class CacheRules:
    """What the arithmetic of the cache goes by."""

    minimum: int
    """Tokens of the shortest prefix that is stored."""
    lookback: int
    """Places that a mark searches back, its own included."""
    collapses_runs: bool
    """A run of tool_use (or of tool_result) blocks is one place."""
    marks_inside: bool
    """A mark on a part of a tool_result's content stands at the end of that result."""
    stores_inside_reads: bool
    """A mark inside what is read stores its prefix too, at no charge."""
    keeps_refused: bool
    """What a refused request wrote can be read."""
    opening_tokens: int
    """Input tokens behind the last block, which no mark takes in."""


def cache_rules(catalog: Catalog, target: Target, switches: Switches) -> CacheRules:
    """The rules for a model on a platform."""
    minimum = target.min_cache
    collapses = target.platform.features.get("lookback_collapses_runs")
    return CacheRules(
        minimum=int(catalog.limit("cache.minimum").at_least or 0) if minimum is None else minimum,
        lookback=int(catalog.limit("cache.lookback").at_most or 0),
        collapses_runs=switches["cache.lookback_runs"] == "one_place" if collapses is None else collapses,
        marks_inside=switches["cache.marks_within_results"] == "at_the_result",
        stores_inside_reads=switches["cache.marks_inside_reads"] == "stored",
        keeps_refused=switches["cache.refused_write"] == "readable",
        opening_tokens=catalog.opening_tokens,
    )
