"""Many sessions together, whatever their number: sums over those that can be compared, and what there is to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ctxengine.findings import Finding, Severity
from ctxengine.simulate.totals import Totals, add, nothing

if TYPE_CHECKING:
    from ctxengine.simulate.simulation import Session

KEPT: dict[Severity, int] = {"error": 10, "warning": 1, "info": 1}
"""Findings of one kind that are shown; the others are counted."""
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

    def add(self, session: Session) -> None:
        self.sessions += 1
        self.turns += session.turns
        self.fitted += session.bills > 0
        self.timed += session.timed
        known = self.recorded_usd is not None and session.recorded_usd is not None
        self.recorded_usd = (self.recorded_usd or 0.0) + (session.recorded_usd or 0.0) if known else None
        for made, totals in zip(self.totals, session.totals, strict=True):
            add(made, totals)


@dataclass(slots=True)
class Sums:
    """Takes sessions as they go by. A policy that is refused in some of them has no turns there, so that sums over all
    would compare one policy's conversations with another's: what is compared is where the same policies are refused as
    in all sessions."""

    policies: Sequence[str]
    _groups: dict[frozenset[str], Summed] = field(default_factory=dict)
    """By which policies are refused."""

    def add(self, session: Session) -> None:
        if not session.turns:
            return
        refused = frozenset(each["policy"] for each in session.totals if each["refused"])
        self._groups.setdefault(refused, self._nothing()).add(session)

    @property
    def compared(self) -> Summed:
        """The sessions that can be compared."""
        everywhere = frozenset.intersection(*self._groups) if self._groups else frozenset()
        return self._groups.get(everywhere) or self._nothing()

    @property
    def left_out(self) -> str:
        """A sentence on the sessions that are not among them; empty where all are."""
        compared = self.compared
        others = [(refused, group) for refused, group in self._groups.items() if group is not compared]
        if not others:
            return ""
        count = sum(group.sessions for _, group in others)
        names = " or ".join(name for name in self.policies if any(name in refused for refused, _ in others))
        what, are = ("conversation", "is") if count == 1 else ("conversations", "are")
        return f"{count:,} {what} in which {names} is refused {are} left out of the sums."

    @property
    def every(self) -> Iterable[Totals]:
        """The totals of all groups, those left out too."""
        return (totals for group in self._groups.values() for totals in group.totals)

    def _nothing(self) -> Summed:
        return Summed(tuple(nothing("", name) for name in self.policies))


@dataclass(slots=True)
class Said:
    """Findings of sessions as they go by, for people to read: what is said again and again is said once and counted."""

    _kinds: dict[tuple[Severity, str, str], list[Finding]] = field(default_factory=dict)
    _more: dict[tuple[Severity, str, str], int] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            if finding.rule in UNSAID:
                continue
            kind = (finding.severity, finding.rule, finding.help)
            kept = self._kinds.setdefault(kind, [])
            if finding in kept:
                continue
            if len(kept) < KEPT[finding.severity]:
                kept.append(finding)
            else:
                self._more[kind] = self._more.get(kind, 0) + 1

    def __iter__(self) -> Iterator[Finding]:
        """Errors first; the last of a kind tells how many more there are."""
        for kind in sorted(self._kinds, key=lambda kind: list(KEPT).index(kind[0])):
            *kept, last = self._kinds[kind]
            more = self._more.get(kind)
            yield from kept
            yield replace(last, message=f"{last.message} (and {more:,} more like it)") if more else last
