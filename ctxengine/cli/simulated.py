"""What ``simulate`` shows: one table to decide from, the assumptions under it, and single turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ctxengine.cli.output import plural, table
from ctxengine.simulate.totals import BASELINE, Totals, hit_share, verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ctxengine.simulate import Session

UNKNOWN = "?"
MANY = 10_000_000
"""Tokens from which on millions are shown."""


def _dollars(totals: Totals) -> str:
    return UNKNOWN if totals["cost_usd"] is None else f"${totals['cost_usd']:,.2f}"


def _tokens(name: str) -> Callable[[Totals], str]:
    return lambda totals: _short(totals[name])


def _short(count: int) -> str:
    """As narrow as a column of several policies has to be."""
    return f"{count:,}" if count < MANY else f"{count / 1e6:,.1f}M"


def _overflow(totals: Totals) -> str:
    return f"{totals['overflows']:,}, first {totals['first_overflow']}" if totals["overflows"] else "0"


LINES: Sequence[tuple[str, Callable[[Totals], str]]] = (
    ("cost", _dollars),
    ("peak context, tokens", _tokens("peak")),
    ("window left, at least", lambda totals: UNKNOWN if totals["headroom"] is None else f"{totals['headroom']:,}"),
    ("read from the cache", lambda totals: f"{hit_share(totals):.1%}"),
    ("tokens read", _tokens("cache_read")),
    ("tokens written, 5m", _tokens("cache_write_5m")),
    ("tokens written, 1h", _tokens("cache_write_1h")),
    ("tokens uncached", _tokens("uncached")),
    ("tokens of output", _tokens("output_tokens")),
    ("clearings", _tokens("clearings")),
    ("compactions", _tokens("compactions")),
    ("needed again, but gone", _tokens("needed_again")),
    ("  same call repeated", _tokens("repeated")),
    ("  passage quoted", _tokens("quoted")),
    ("turns that do not fit", _overflow),
)
ALWAYS = ("cost", "peak context, tokens", "read from the cache", "needed again, but gone")
"""Lines that are shown even where they are nothing for every policy."""


def comparison(totals: Sequence[Totals], sessions: int, turns: int) -> Iterator[RenderableType]:
    """The table, and which policy wins on what."""
    from rich.text import Text

    made = table("", *(each["policy"] for each in totals))
    for column in made.columns[1:]:
        column.justify = "right"
    costs = [each["cost_usd"] for each in totals]
    for name, value in LINES:
        cells = [UNSENT if each["refused"] and not each["turns"] else value(each) for each in totals]
        if name in ALWAYS or any(cell not in ("0", "–", UNSENT) for cell in cells):
            made.add_row(name, *cells)
        if name == "cost":
            made.add_row(f"  against {BASELINE}", *(_against(cost, costs[0]) for cost in costs))
    yield f"{plural(sessions, 'conversation')}, {plural(turns, 'turn')}"
    yield made
    yield ""
    yield Text(verdict(totals), style="bold")


UNSENT = "refused"


def _against(cost: float | None, baseline: float | None) -> str:
    return "" if not baseline or cost is None else f"{cost / baseline - 1:+.0%}"


def assumptions(
    baseline: Totals, bills: int, timed: int, sessions: int, recorded: float | None, gap: float
) -> Iterator[str]:
    """What the numbers rest on."""
    yield "The recorded turns stay as they were: a policy changes what is sent, not what was answered."
    cached = baseline["cache_read"] + baseline["cache_write_5m"] + baseline["cache_write_1h"] > 0
    marks = "with the cache marks they show or were billed for" if cached else "which have no cache marks"
    billed = "" if recorded is None else f" Billed: ${recorded:,.2f}."
    yield f"{BASELINE}: the requests as recorded, {marks}.{billed}"
    sized = "sizes are fitted to recorded bills" if bills == sessions else "sizes are estimates"
    if 0 < bills < sessions:
        sized = f"sizes are fitted to recorded bills in {bills} of {sessions}, else estimates"
    times = "times are recorded" if timed == sessions else f"{gap:g} s lie between turns without a recorded time"
    yield f"{sized[0].upper()}{sized[1:]}; {times}; a summary is as long as recorded ones were."


def turn_table(session: Session, number: int) -> Table | None:
    """One turn under every policy."""
    rows = [row for row in session.rows if row["turn"] == number]
    if not rows:
        return None
    made = table("", *(row["policy"] for row in rows), title=f"{session.transcript}, turn {number}")
    hidden = ("transcript", "policy", "turn", "why")
    for name in rows[0]:
        if name not in hidden:
            made.add_row(name.replace("_", " "), *(_cell(row[name]) for row in rows))
    made.add_row("why", *("\n".join(row["why"]) or "nothing new is cleared" for row in rows))
    return made


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return UNKNOWN if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def row_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for CSV: reasons as one text."""
    return {**row, "why": "; ".join(row["why"])}
