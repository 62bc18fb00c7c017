"""Where a row names a row of another table: such names must exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctxengine.catalog.facts import SUMMARIZE
from ctxengine.catalog.rows import Misfit
from ctxengine.findings import did_you_mean, shown

Tables = Mapping[str, Mapping[str, Any]]


def dangling(rows: Tables, catalog: Tables) -> Iterator[Misfit]:
    """Each name in ``rows`` that points at no row of the whole ``catalog``."""
    for table, key, field, target, names in _references(rows):
        known = [*catalog[target], SUMMARIZE] if target == "edits" else list(catalog[target])
        for name in names:
            if name is not None and name not in known:
                message = f"{target} has no row {shown(name)}"
                yield Misfit(f"{table}.{key}.{field}", message, did_you_mean(name, known))


def _references(rows: Tables) -> Iterator[tuple[str, str, str, str, Any]]:
    for key, model in rows.get("models", {}).items():
        yield "models", key, "edits", "edits", model.edits
        yield "models", key, "tokenizer", "tokenizers", (model.tokenizer,)
        yield "models", key, "min_cache_by_platform", "platforms", model.min_cache_by_platform
    for key, beta in rows.get("betas", {}).items():
        yield "betas", key, "unsupported_on", "platforms", beta.unsupported_on
    for key, platform in rows.get("platforms", {}).items():
        for feature, models in platform.except_models.items():
            yield "platforms", key, f"except_models.{feature}", "models", models
    for key, edit in rows.get("edits", {}).items():
        yield "edits", key, "betas", "betas", edit.betas
        yield "edits", key, "stand_ins", "betas", edit.stand_ins
    for key, alias in rows.get("aliases", {}).items():
        yield "aliases", key, "model", "models", (alias.model,)
        yield "aliases", key, "platform", "platforms", (alias.platform,)
