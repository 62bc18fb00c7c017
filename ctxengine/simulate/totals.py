"""Sums over turns, and over sessions: what policies are compared by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

SUMMED = (
    "turns", "cache_read", "cache_write_5m", "cache_write_1h", "uncached", "output_tokens", "iterations",
    "compactions", "clearings", "needed_again", "repeated", "quoted", "overflows", "refused",
)  # fmt: skip
Totals = dict[str, Any]
BASELINE = "no policy"
"""Name of the column for the conversation as it stands."""


def nothing(transcript: str, policy: str) -> Totals:
    """Totals before the first turn. ``cost_usd`` becomes ``None`` where a price is unknown, or a policy is
    refused from the first turn on."""
    return {
        "transcript": transcript,
        "policy": policy,
        **dict.fromkeys(SUMMED, 0),
        "cost_usd": 0.0,
        "peak": 0,
        "peak_turn": None,
        "headroom": None,
        "first_overflow": None,
        "first_needed": None,
    }


class Tally:
    """The totals of one policy over one session, turn by turn."""

    def __init__(self, transcript: str, policy: str) -> None:
        self.totals = nothing(transcript, policy)
        self._cleared = 0

    def add(self, row: Mapping[str, Any]) -> None:
        totals = self.totals
        totals["turns"] += 1
        for name in ("cache_read", "cache_write_5m", "cache_write_1h", "uncached", "output_tokens", "iterations"):
            totals[name] += row[name]
        totals["compactions"] += row["compaction"]
        totals["clearings"] += row["cleared_tool_uses"] > self._cleared
        self._cleared = 0 if row["compaction"] else row["cleared_tool_uses"]
        if row["needed_again"]:
            for name in ("needed_again", "repeated", "quoted"):
                totals[name] += row[name]
            totals["first_needed"] = totals["first_needed"] or row["turn"]
        totals["cost_usd"] = plus(totals["cost_usd"], row["cost_usd"])
        if row["peak"] > totals["peak"]:
            totals["peak"], totals["peak_turn"], totals["headroom"] = row["peak"], row["turn"], row["headroom"]
        if row["overflow"]:
            totals["overflows"] += 1
            totals["first_overflow"] = totals["first_overflow"] or row["turn"]


def add(made: Totals, totals: Mapping[str, Any]) -> None:
    """Takes one more session into a policy's totals; peak, headroom and first overflow are those of the worst."""
    for name in SUMMED:
        made[name] += totals[name]
    made["cost_usd"] = plus(made["cost_usd"], totals["cost_usd"])
    if totals["peak"] > made["peak"]:
        made["peak"], made["peak_turn"] = totals["peak"], totals["peak_turn"]
    for name in ("headroom", "first_overflow", "first_needed"):
        known = [value for value in (made[name], totals[name]) if value is not None]
        made[name] = min(known, default=None)


def plus(one: float | None, other: float | None) -> float | None:
    """A sum that is unknown where a part is."""
    return None if one is None or other is None else one + other


def hit_share(totals: Mapping[str, Any]) -> float:
    """Share of the input tokens that was read from the cache."""
    return float(totals["cache_read"]) / max(prompt_tokens(totals), 1)


def prompt_tokens(totals: Mapping[str, Any]) -> int:
    return sum(totals[name] for name in ("cache_read", "cache_write_5m", "cache_write_1h", "uncached"))


def verdict(totals: Iterable[Mapping[str, Any]]) -> str:
    """One line: which policy wins on what. Those that are refused or do not fit the window win nothing; the
    conversation without a policy forgets nothing, and is no match for one that forgets."""
    every = list(totals)
    standing = [each for each in every if each["turns"] and not each["refused"] and not each["overflows"]]
    if not any(each["turns"] or each["refused"] for each in every):
        return "nothing could be compared"
    if not standing:
        return "no policy holds: each is refused or does not fit the window"
    parts = []
    if all(each["cost_usd"] is not None for each in standing):
        parts.append(_best("cheapest", standing, "cost_usd", money))
    parts.append(_best("smallest peak", standing, "peak", "{:,} tokens".format))
    parts.append(_forgets(standing, [each for each in standing if each["policy"] != BASELINE]))
    out = [each["policy"] for each in every if each not in standing]
    return "; ".join(parts) + (f"; out of the running: {', '.join(out)}" if out else "")


def _forgets(standing: list[Mapping[str, Any]], policies: list[Mapping[str, Any]]) -> str:
    forgotten = [each["needed_again"] for each in policies]
    if len(forgotten) == 1 and forgotten[0]:
        return f"needed again, but gone: {forgotten[0]:,}"
    return _best("forgets least", policies if any(forgotten) else standing, "needed_again", "{:,} needed again".format)


def money(dollars: float) -> str:
    """Cents, and below a dollar what policies for one small conversation differ by."""
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.4f}"


def _best(title: str, totals: list[Mapping[str, Any]], name: str, shown: Callable[[Any], str]) -> str:
    least = min(each[name] for each in totals)
    winners = [each["policy"] for each in totals if shown(each[name]) == shown(least)]
    who = "all alike" if len(winners) == len(totals) > 1 else ", ".join(winners)
    return f"{title}: {who} ({shown(least)})"
