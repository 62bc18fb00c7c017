"""A file of facts laid over the catalog's rows, with everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ctxengine.catalog.facts import TABLES, THRESHOLD_COMPACTION
from ctxengine.catalog.references import dangling
from ctxengine.catalog.rows import Misfit, key_of, make_row, read_fields
from ctxengine.findings import did_you_mean, shown

COMMENTS = ("$schema", "$comment")
Tables = dict[str, dict[str, Any]]


def lay_over(rows: Tables, overlay: Any) -> list[Misfit]:
    """Put the overlay's rows into ``rows``; returns what does not fit, in which case ``rows`` is of no use."""
    if not isinstance(overlay, Mapping):
        return [Misfit("", "a catalog overlay must be an object of tables")]
    misfits = list(_tables_over(rows, overlay))
    if misfits:
        return misfits
    changed = {name: {key: rows[name][key] for key in overlay[name]} for name in rows.keys() & overlay}
    return [*dangling(changed, rows), *_without_compaction(rows)]


def _without_compaction(rows: Tables) -> Iterator[Misfit]:
    if all(fact.feature != THRESHOLD_COMPACTION for fact in rows["edits"].values()):
        yield Misfit(
            "edits", "no edit is left that compacts", f'leave one of them its feature "{THRESHOLD_COMPACTION}"'
        )


def _tables_over(rows: Tables, overlay: Mapping[str, Any]) -> Iterator[Misfit]:
    for name, table in overlay.items():
        if name in COMMENTS:
            continue
        if name not in TABLES:
            yield Misfit(name, f"there is no table {shown(name)}", did_you_mean(name, TABLES))
        elif not isinstance(table, Mapping):
            yield Misfit(name, "a table must be an object of rows")
        else:
            yield from _table_over(rows[name], TABLES[name], name, table)


def _table_over(rows: dict[str, Any], row_type: type, name: str, table: Mapping[str, Any]) -> Iterator[Misfit]:
    for key, raw in table.items():
        try:
            rows[key] = _row_over(rows.get(key), row_type, key, raw)
        except Misfit as misfit:
            yield misfit.below(key).below(name)


def _row_over(known: Any, row_type: type, key: str, raw: Any) -> Any:
    given = read_fields(row_type, raw)
    missing = [name for name in ("source", "as_of") if not given.get(name)]
    if missing:
        raise Misfit("", f"the row needs {' and '.join(missing)}", "say where the facts come from and of which day")
    if key_of(row_type) in given:
        raise Misfit(key_of(row_type), "the row's key says this already", "leave it out")
    return replace(known, **given) if known else make_row(row_type, {key_of(row_type): key, **given})
