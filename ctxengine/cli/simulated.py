"""What ``simulate`` shows: one table to decide from, the assumptions under it, and single turns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ctxengine.cli.output import plural, side_by_side
from ctxengine.simulate.comparison import UNKNOWN, compared
from ctxengine.simulate.totals import BASELINE, money, verdict

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ctxengine.simulate import Session
    from ctxengine.simulate.summing import Summed

UNTOLD = ("transcript", "policy", "turn", "why")
"""Fields of a row that stand elsewhere than among the lines of its turn."""


def comparison(summed: Summed) -> Iterator[RenderableType]:
    """The table, and which policy wins on what."""
    from rich.text import Text

    yield f"{plural(summed.sessions, 'conversation')}, {plural(summed.turns, 'turn')}"
    heads = [each["policy"] for each in summed.totals]
    rows = [(f"  {line.name}" if line.part else line.name, line.cells) for line in compared(summed.totals)]
    for made in side_by_side(heads, rows, justify="right"):
        yield made
        yield ""
    yield Text(verdict(summed.totals), style="bold")


def assumptions(summed: Summed, gap: float) -> Iterator[str]:
    """What the numbers rest on."""
    baseline, bills, sessions = summed.totals[0], summed.fitted, summed.sessions
    if summed.left_out:
        names = " or ".join("the record itself" if name == BASELINE else name for name in summed.refused_there)
        why = [f"in which {names} is refused"] * bool(names) + ["without a known price"] * summed.unpriced_there
        what, are = ("conversation", "is") if summed.left_out == 1 else ("conversations", "are")
        first = ", ".join(summed.left_out_first) + (", …" if summed.left_out > len(summed.left_out_first) else "")
        yield f"{summed.left_out:,} {what} {' or '.join(why)} {are} left out of the sums: {first}."
    yield "The recorded turns stay as they were: a policy changes what is sent, not what was answered."
    marks = "with the cache marks they show or were billed for" if summed.cached else "which have no cache marks"
    if 0 < summed.cached < sessions:
        marks += f" in {summed.cached} of {sessions}, without any in the others"
    billed = "" if summed.recorded_usd is None else f" Billed: {money(summed.recorded_usd)}."
    yield f"{BASELINE}: the requests as recorded, {marks}.{billed}"
    short = [each["policy"] for each in summed.totals if each["cache_write_5m"] and not each["cache_write_1h"]]
    if baseline["cache_write_1h"] > baseline["cache_write_5m"] and short:
        yield f"The record caches for 1h; {', '.join(short)} for 5m, which is cheaper to write and lost in long pauses."
    sized = "sizes are fitted to recorded bills" if bills == sessions else "sizes are estimates"
    if 0 < bills < sessions:
        sized = f"sizes are fitted to recorded bills in {bills} of {sessions}, else estimates"
    times = "times are recorded" if summed.timed == sessions else f"{gap:g} s lie between turns without a recorded time"
    yield f"{sized[0].upper()}{sized[1:]}; {times}; a summary is as long as recorded ones were."


def turn_tables(session: Session, number: int) -> Iterator[RenderableType]:
    """One turn under every policy, and what the policies send; what is nothing under all of them is left out."""
    rows = [row for row in session.rows if row["turn"] == number]
    if not rows:
        return
    told = [name for name in rows[0] if name not in UNTOLD and any(row[name] for row in rows)]
    lines = [(name.replace("_", " "), [_cell(row[name]) for row in rows]) for name in told]
    why = ("why", ["\n".join(row["why"]) or "nothing new is cleared" for row in rows])
    title = f"{session.transcript}, turn {number}"
    for made in side_by_side([row["policy"] for row in rows], [*lines, why], title):
        yield made
        yield ""
    for row in rows:
        for edit in session.edits[row["policy"]]:
            yield f"{row['policy']}: {_edit(edit)}"
    yield ""


def _edit(edit: Mapping[str, Any]) -> str:
    fields = {name: value for name, value in edit.items() if name != "type" and value not in (None, [], False)}
    told = ", ".join(f"{name} {_amount(value)}" for name, value in fields.items())
    return f"{edit['type']}, {told}" if told else str(edit["type"])


def _amount(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{_cell(value['value'])} {value['type']}" if "value" in value else str(value.get("type"))
    return " and ".join(map(str, value)) if isinstance(value, list) else _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return UNKNOWN if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def row_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for CSV: lists as one text."""
    return {**row, "why": "; ".join(row["why"]), "needed": "; ".join(row["needed"])}
