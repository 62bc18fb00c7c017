"""The comparison that people decide from: its lines, for every place that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxengine.simulate.totals import BASELINE, Totals, hit_share

UNKNOWN = "?"
REFUSED = "refused"
NOTHING = ("0", REFUSED)
MANY = 10_000_000
"""Tokens from which on millions are shown."""


def compared(totals: Sequence[Totals]) -> list[tuple[str, list[str]]]:
    """Name and cells of each line, one cell for a policy; what is nothing for every policy is mostly left out."""
    made: list[tuple[str, list[str]]] = []
    costs = [each["cost_usd"] for each in totals]
    for name, value in LINES:
        cells = [REFUSED if each["refused"] and not each["turns"] else value(each) for each in totals]
        if name in ALWAYS or any(cell not in NOTHING for cell in cells):
            made.append((name, cells))
        if name == "cost":
            made.append((f"  against {BASELINE}", [_against(cost, costs[0]) for cost in costs]))
    return made


def _dollars(totals: Totals) -> str:
    return UNKNOWN if totals["cost_usd"] is None else f"${totals['cost_usd']:,.2f}"


def _tokens(name: str) -> Callable[[Totals], str]:
    return lambda totals: _short(totals[name])


def _short(count: int) -> str:
    """As narrow as a column of several policies has to be."""
    return f"{count:,}" if count < MANY else f"{count / 1e6:,.1f}M"


def _headroom(totals: Totals) -> str:
    return UNKNOWN if totals["headroom"] is None else f"{totals['headroom']:,}"


def _overflow(totals: Totals) -> str:
    return f"{totals['overflows']:,}, first {totals['first_overflow']}" if totals["overflows"] else "0"


def _against(cost: float | None, baseline: float | None) -> str:
    return "" if not baseline or cost is None else f"{cost / baseline - 1:+.0%}"


LINES: Sequence[tuple[str, Callable[[Totals], str]]] = (
    ("cost", _dollars),
    ("peak context, tokens", _tokens("peak")),
    ("window left, at least", _headroom),
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
