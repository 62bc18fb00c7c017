"""The comparison that people decide from: its lines, for every place that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ctxengine.simulate.totals import BASELINE, Totals, hit_share, money

UNKNOWN = "?"
REFUSED = "refused"
INCOMPARABLE = "n/a"
NEVER = "-"
NOTHING = ("0", NEVER, REFUSED)
MANY = 1_000_000
"""Tokens from which on millions are shown."""


class Line(NamedTuple):
    """One line, with a cell for each policy."""

    name: str
    cells: list[str]
    part: bool = False
    """Whether it says more of the line before it."""


def compared(totals: Sequence[Totals]) -> list[Line]:
    """The lines; what is nothing for every policy is mostly left out."""
    made: list[Line] = []
    for name, value, part in LINES:
        cells = [REFUSED if _is_refused(each) else value(each) for each in totals]
        if name in ALWAYS or any(cell not in NOTHING for cell in cells):
            made.append(Line(name, cells, part))
        if name == COST:
            made.append(Line(f"against {BASELINE}", [_against(each, totals[0]) for each in totals], part=True))
    return made


def _dollars(totals: Totals) -> str:
    return UNKNOWN if totals["cost_usd"] is None else money(totals["cost_usd"])


def _tokens(name: str) -> Callable[[Totals], str]:
    return lambda totals: _short(totals[name])


def _short(count: int) -> str:
    """As narrow as a column of several policies has to be."""
    return f"{count:,}" if count < MANY else f"{count / 1e6:,.2f}M"


def _headroom(totals: Totals) -> str:
    return UNKNOWN if totals["headroom"] is None else f"{totals['headroom']:,}"


def _overflow(totals: Totals) -> str:
    return f"{totals['overflows']:,}, first {totals['first_overflow']}" if totals["overflows"] else "0"


def _is_refused(totals: Totals) -> bool:
    """Whether every conversation is refused, so that there is nothing to show."""
    return bool(totals["refused"]) and not totals["turns"]


def _against(totals: Totals, baseline: Totals) -> str:
    """By how much dearer; turns that do not fit cost nothing, so costs with such turns say nothing."""
    cost, basis = (None if _is_refused(each) else each["cost_usd"] for each in (totals, baseline))
    if not basis or cost is None:
        return ""
    return INCOMPARABLE if totals["overflows"] or baseline["overflows"] else f"{cost / basis - 1:+.0%}"


COST, PEAK, HEADROOM = "cost", "peak context, tokens", "window left, at least"
CACHED, NEEDED = "read from the cache", "needed again, but gone"
CLEARINGS, COMPACTIONS = "clearings", "compactions"
LINES: Sequence[tuple[str, Callable[[Totals], str], bool]] = (
    (COST, _dollars, False),
    (PEAK, _tokens("peak"), False),
    (HEADROOM, _headroom, False),
    (CACHED, lambda totals: f"{hit_share(totals):.1%}", False),
    ("tokens read", _tokens("cache_read"), False),
    ("tokens written, 5m", _tokens("cache_write_5m"), False),
    ("tokens written, 1h", _tokens("cache_write_1h"), False),
    ("tokens uncached", _tokens("uncached"), False),
    ("tokens of output", _tokens("output_tokens"), False),
    (CLEARINGS, _tokens("clearings"), False),
    (COMPACTIONS, _tokens("compactions"), False),
    (NEEDED, _tokens("needed_again"), False),
    ("same call repeated", _tokens("repeated"), True),
    ("passage quoted", _tokens("quoted"), True),
    ("first at turn", lambda totals: str(totals["first_needed"] or NEVER), True),
    ("turns that do not fit", _overflow, False),
)
"""Name, cell, and whether the line says more of the one before it."""
ALWAYS = (COST, PEAK, HEADROOM, CACHED, CLEARINGS, COMPACTIONS, NEEDED)
"""Lines that are shown even where they are nothing for every policy."""
