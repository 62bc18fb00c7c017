"""A live answer of the Models API as a catalog row. ``null`` in it is unknown: it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ctxengine.catalog.facts import ISO_DATE, SUMMARIZE, ModelFact
from ctxengine.catalog.rows import make_row

SOURCE = "Models API"


def facts_from(answer: Mapping[str, Any], row: ModelFact) -> ModelFact:
    """The row with what the answer says laid over it."""
    capabilities = _object(answer.get("capabilities"))
    modes = _object(_object(capabilities.get("thinking")).get("types"))
    said: dict[str, Any] = {
        "window": _count(answer.get("max_input_tokens")),
        "max_output": _count(answer.get("max_tokens")),
        "thinking_modes": tuple(sorted(mode for mode, support in modes.items() if _supported(support))) or None,
        "efforts": _efforts(_object(capabilities.get("effort"))),
        "released": _day(answer.get("created_at")),
        "retires": _day(answer.get("retires_at")),
        "edits": MappingProxyType({**row.edits, **dict(_edits(capabilities))}),
        "source": row.source if SOURCE in row.source else f"{row.source}; {SOURCE}",
    }
    return replace(row, **{name: value for name, value in said.items() if value is not None})


def unknown_model(id: str, as_of: str) -> ModelFact:
    """A row that knows nothing yet."""
    nothing: Mapping[str, Any] = MappingProxyType({})
    known = {"id": id, "source": SOURCE, "as_of": as_of, "confidence": "H"}
    return make_row(ModelFact, {**known, "edits": nothing, "min_cache_by_platform": nothing, "prices": ()})


def _efforts(capability: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The levels, where the answer knows of them."""
    levels = tuple(name for name, support in capability.items() if name != "supported" and _supported(support))
    return levels or (() if capability.get("supported") is False else None)


def _edits(capabilities: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    strategies = _object(capabilities.get("context_management"))
    for name, support in strategies.items():
        supported = _supported(support) if name != "supported" else None
        if supported is not None:
            yield name, supported
    on_demand = _supported(_object(capabilities.get("compaction")).get(SUMMARIZE))
    if on_demand is not None:
        yield SUMMARIZE, on_demand


def _supported(support: Any) -> bool | None:
    supported = _object(support).get("supported")
    return supported if isinstance(supported, bool) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _day(value: Any) -> str | None:
    """The day of a time; the epoch stands for "unknown"."""
    day = value[:10] if isinstance(value, str) else ""
    return day if re.fullmatch(ISO_DATE, day) and day > "1970-01-01" else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
