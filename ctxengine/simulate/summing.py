"""Many sessions together, whatever their number: sums over those that can be compared, and what there is to say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ctxengine.findings import Finding, Severity
from ctxengine.simulate.totals import Totals, add, nothing, plus

if TYPE_CHECKING:
    from ctxengine.simulate.simulation import Session

KEPT: dict[Severity, int] = {"error": 10, "warning": 1, "info": 1}
"""Findings of one kind that are shown; the others are counted."""
Kind = tuple[Severity, str, str]
"""Severity, rule, and message without its numbers."""
NUMBER = re.compile(r"\d[\d,.]*")
NAMED = 3
"""Conversations that are named where some are left out."""
UNSAID = ("transcript-context", "transcript-tools")
"""Notes that hold for every transcript of a kind."""


@dataclass(slots=True)
class Summed:
    """Sessions added up."""

    totals: tuple[Totals, ...]
    """One for each policy."""
    sessions: int = 0
    turns: int = 0
    fitted: int = 0
    """Sessions whose sizes rest on bills."""
    timed: int = 0
    """Sessions with times of their own."""
    recorded_usd: float | None = 0.0
    """What the responses were billed; ``None`` where a record does not say."""
    cached: int = 0
    """Sessions that show cache marks, or were billed for some."""
    named: tuple[str, ...] = ()
    """The first of them."""
    left_out: int = 0
    """Sessions that are not among them, since not all policies can be compared there."""
    left_out_first: tuple[str, ...] = ()
    """The first of those."""
    refused_there: tuple[str, ...] = ()
    """The policies that the API would refuse there, and not here."""
    unpriced_there: bool = False
    """Whether some of them are left out since nobody knows a price of their model."""

    def add(self, session: Session) -> None:
        self.sessions += 1
        self.turns += session.turns
        self.fitted += session.bills > 0
        self.timed += session.timed
        self.named = (*self.named, session.transcript)[:NAMED]
        self.cached += any(session.totals[0][name] for name in ("cache_read", "cache_write_5m", "cache_write_1h"))
        self.recorded_usd = plus(self.recorded_usd, session.recorded_usd)
        for made, totals in zip(self.totals, session.totals, strict=True):
            add(made, totals)


@dataclass(slots=True)
class Sums:
    """Takes sessions as they go by. A policy that is refused in some of them has no turns there, so that sums over all
    would compare one policy's conversations with another's; and a sum with an unknown price is unknown."""

    policies: Sequence[str]
    _groups: dict[tuple[frozenset[str], bool], Summed] = field(default_factory=dict)
    """By which policies are refused, and whether prices are known."""

    def add(self, session: Session) -> None:
        if not session.turns:
            return
        refused = frozenset(each["policy"] for each in session.totals if each["refused"])
        priced = all(each["cost_usd"] is not None for each in session.totals if not each["refused"])
        self._groups.setdefault((refused, priced), self._nothing()).add(session)

    @property
    def compared(self) -> Summed:
        """The sessions in which the fewest policies are refused, those with prices before others, and the most of
        these."""
        if not self._groups:
            return self._nothing()
        here = max(self._groups, key=lambda group: (-len(group[0]), group[1], self._groups[group].sessions))
        there = [group for group in self._groups if group != here]
        refused = frozenset[str]().union(*(refused for refused, _ in there)) - here[0]
        return replace(
            self._groups[here],
            left_out=sum(self._groups[group].sessions for group in there),
            left_out_first=tuple(name for group in there for name in self._groups[group].named)[:NAMED],
            refused_there=tuple(name for name in self.policies if name in refused),
            unpriced_there=here[1] and not all(priced for _, priced in there),
        )

    @property
    def every(self) -> Iterable[Totals]:
        """The totals of all groups, those left out too."""
        return (totals for group in self._groups.values() for totals in group.totals)

    def _nothing(self) -> Summed:
        return Summed(tuple(nothing("", name) for name in self.policies))


@dataclass(slots=True)
class Said:
    """Findings of sessions as they go by, for people to read: what is said again and again is said once and counted."""

    _kept: dict[Kind, dict[Finding, str]] = field(default_factory=dict)
    """Each with the conversation that said it first."""
    _others: dict[Kind, set[int]] = field(default_factory=dict)
    """Hashes of those that are not kept, or hold for another session too."""

    def add(self, session: Session) -> None:
        for finding in session.findings:
            if finding.rule in UNSAID:
                continue
            kind = (finding.severity, finding.rule, NUMBER.sub("", finding.message))
            kept = self._kept.setdefault(kind, {})
            if finding not in kept and len(kept) < KEPT[finding.severity]:
                kept[finding] = session.transcript
            elif kept.get(finding) != session.transcript:
                self._others.setdefault(kind, set()).add(hash((finding, session.transcript)))

    def __iter__(self) -> Iterator[Finding]:
        """Errors first; the last of a kind tells in how many more places it holds."""
        for kind in sorted(self._kept, key=lambda kind: list(KEPT).index(kind[0])):
            *kept, last = self._kept[kind]
            more = len(self._others.get(kind, ()))
            yield from kept
            yield replace(last, message=f"{last.message} (and in {more:,} more)") if more else last
