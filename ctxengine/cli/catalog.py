"""``ctxengine catalog``: the facts behind every verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ctxengine.catalog import Catalog
from ctxengine.catalog.facts import BetaFact, EditFact, Limit, ModelFact, PlatformFact, SwitchFact, WireFact
from ctxengine.cli import options
from ctxengine.cli.output import print_all, table, write_json
from ctxengine.engine import Engine

if TYPE_CHECKING:
    from rich.table import Table


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,g}" if value < 1 else f"{value:,.0f}"


def _models(rows: Mapping[str, ModelFact]) -> Table:
    made = table("model", "window", "output", "cache from", "thinking", "retires")
    for row in rows.values():
        thinking = "?" if row.thinking_modes is None else ", ".join(row.thinking_modes)
        made.add_row(
            row.id, _number(row.window), _number(row.max_output), _number(row.min_cache), thinking, row.retires or ""
        )
    for column in made.columns[1:4]:
        column.justify = "right"
    return made


def _betas(rows: Mapping[str, BetaFact]) -> Table:
    made = table("beta", "switches on", "state", "not on")
    made.columns[0].no_wrap, made.columns[0].min_width = False, 38
    made.columns[3].no_wrap = True
    for row in rows.values():
        if row.feature:
            made.add_row(row.name, row.feature.replace("_", " "), row.state, "\n".join(row.unsupported_on))
    return made


def _platforms(rows: Mapping[str, PlatformFact]) -> Table:
    made = table("", *(name.replace("_", "_\n") for name in rows))
    made.columns[0].no_wrap = False
    words = {True: "yes", False: "no", None: "?"}
    made.add_row("betas travel in", *(row.beta_travel for row in rows.values()))
    made.add_row("cache slots", *(str(row.cache_slots) for row in rows.values()))
    for feature in next(iter(rows.values())).features:
        made.add_row(feature.replace("_", " "), *(words[row.features.get(feature)] for row in rows.values()))
    return made


def _edits(rows: Mapping[str, EditFact]) -> Table:
    made = table("edit", "rank", "beta", "parameters")
    for row in rows.values():
        made.add_row(row.type, str(row.rank), ", ".join(row.betas), "\n".join(row.parameters))
    return made


def _limits(rows: Mapping[str, Limit]) -> Table:
    made = table("limit", "at least", "more than", "at most")
    for row in rows.values():
        bounds = (row.at_least, row.more_than, row.at_most)
        made.add_row(row.id, *("" if bound is None else _number(bound) for bound in bounds))
    return made


def _switches(rows: Mapping[str, SwitchFact]) -> Table:
    made = table("switch", "is", "could be")
    for row in rows.values():
        made.add_row(row.name, row.value, ", ".join(row.alternatives))
    return made


def _wire_errors(rows: Mapping[str, WireFact]) -> Table:
    made = table("refusal", "status", "in the words", "wording")
    for row in rows.values():
        made.add_row(row.id, str(row.status), row.message, row.wording)
    return made


TABLES: Mapping[str, Callable[[Any], Table]] = {
    "models": _models,
    "betas": _betas,
    "platforms": _platforms,
    "edits": _edits,
    "limits": _limits,
    "switches": _switches,
    "wire_errors": _wire_errors,
}


@click.command()
@click.argument("name", required=False, type=click.Choice(list(TABLES)), metavar="[TABLE]")
@options.printed("text", "json")
def command(name: str | None, form: str) -> None:
    """Show the facts about models, betas, platforms, edits and limits.

    TABLE is models, betas, platforms, edits, limits, switches or wire_errors; without it, how many rows each has. As
    JSON the rows are whole, with source and date, and are what a catalog overlay is made of. "?" is what nobody knows,
    which is not "no".
    """
    catalog = Engine().catalog
    if form == "json":
        rows = catalog.to_dict()
        write_json({name: rows[name]} if name else rows)
    else:
        print_all([TABLES[name](catalog.rows[name]) if name else _overview(catalog)])


def _overview(catalog: Catalog) -> Table:
    made = table("table", "rows", "newest")
    for name, rows in catalog.rows.items():
        made.add_row(name, f"{len(rows):,}", max((row.as_of for row in rows.values()), default=""))
    return made
