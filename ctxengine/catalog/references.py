"""Where a row names a row of another table: such names must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.catalog.rows import Misfit, did_you_mean, shown

ON_DEMAND = "summarize"
"""The key under which a model's ``edits`` tells of on-demand compaction, which is no edit."""


def dangling(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Misfit]:
    """Each name in the tables that points at no row."""
    for table, key, field, target, names in _references(rows):
        known = [*rows[target], ON_DEMAND] if target == "edits" else list(rows[target])
        for name in names:
            if name is not None and name not in known:
                message = f"{target} has no row {shown(name)}"
                yield Misfit(f"{table}.{key}.{field}", message, did_you_mean(name, known))


def _references(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, str, Any]]:
    for key, model in rows["models"].items():
        yield "models", key, "edits", "edits", model.edits
        yield "models", key, "min_cache_by_platform", "platforms", model.min_cache_by_platform
    for key, beta in rows["betas"].items():
        yield "betas", key, "unsupported_on", "platforms", beta.unsupported_on
    for key, platform in rows["platforms"].items():
        for feature, models in platform.except_models.items():
            yield "platforms", key, f"except_models.{feature}", "models", models
    for key, edit in rows["edits"].items():
        yield "edits", key, "betas", "betas", edit.betas
        yield "edits", key, "stand_ins", "betas", edit.stand_ins
    for key, alias in rows["aliases"].items():
        yield "aliases", key, "model", "models", (alias.model,)
        yield "aliases", key, "platform", "platforms", (alias.platform,)
