"""What is drawn of a session: its turns, as many as a screen can show, and every turn at which something happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ctxengine.simulate import Session
from ctxengine.simulate.totals import plus, prompt_tokens

FEW = 3
"""Things needed again that are told of a turn; the others are counted."""
POINTS = 400
"""Turns drawn of a session, about; of a longer one every second, third …"""
CLEARING, COMPACTION, NEEDED, OVERFLOW = "clearing", "compaction", "needed again", "does not fit"
MARKS = {CLEARING: "triangle-down", COMPACTION: "diamond", NEEDED: "circle", OVERFLOW: "cross"}
"""What can happen at a turn, and Vega's shape for it."""
Point = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One session. A point has a ``policy`` (its number), ``name``, ``turn``, ``context``, ``cost`` and ``share``.

    The cost is in dollars and the share that of input tokens read from the cache, both of all turns so far.
    """

    session: Session
    policies: tuple[str, ...]
    points: tuple[Point, ...]
    marks: tuple[Point, ...]
    """Points with ``mark`` and ``why``, in the order of turns; two at a turn where two things happened."""

    @property
    def step(self) -> int:
        """Every how many turns there is a point."""
        return _step(self.session)

    def table(self, value: str) -> Iterator[tuple[int, list[Any]]]:
        """Each turn with the value of every policy; ``None`` where a policy is refused or a price unknown."""
        by_turn: dict[int, list[Any]] = {}
        for point in self.points:
            cells = by_turn.setdefault(point["turn"], [None] * len(self.policies))
            cells[point["policy"]] = point[value]
        yield from by_turn.items()

    def last(self, value: str) -> list[tuple[str, Any]]:
        """What the policies come to; without those that are refused or whose price is unknown."""
        return [(name, values[-1]) for name, values in self._values(value)]

    def most(self, value: str) -> list[tuple[str, Any]]:
        return [(name, max(values)) for name, values in self._values(value)]

    def _values(self, value: str) -> Iterator[tuple[str, list[Any]]]:
        for number, name in enumerate(self.policies):
            values = [point[value] for point in self.points if point["policy"] == number and point[value] is not None]
            if values:
                yield name, values


def drawn(session: Session, policies: Sequence[str]) -> Drawn:
    """The points and marks of one session under every policy."""
    points: list[Point] = []
    marks: list[Point] = []
    step = _step(session)
    numbers = range(len(policies))
    for number in (*numbers[1:], *numbers[:1]):  # the baseline's dashes are drawn over a line that lies under them
        policy = policies[number]
        rows = [row for row in session.rows if row["policy"] == policy]
        costs = accumulate((row["cost_usd"] for row in rows), plus)
        reads = accumulate(row["cache_read"] for row in rows)
        prompts = accumulate(map(prompt_tokens, rows))
        for row, cost, read, prompt in zip(rows, costs, reads, prompts, strict=True):
            point = {
                "policy": number, "name": policy, "turn": row["turn"], "context": row["context"],
                "cost": None if cost is None else round(cost, 4), "share": round(read / max(prompt, 1), 4),
            }  # fmt: skip
            if row["turn"] % step == 1 % step or row["turn"] == session.turns:
                points.append(point)
            marks += [{**point, "mark": mark, "why": why} for mark, why in _events(row)]
    marks.sort(key=lambda mark: (mark["turn"], mark["policy"]))
    return Drawn(session, tuple(policies), tuple(points), tuple(marks))


def _step(session: Session) -> int:
    return session.turns // POINTS + 1


def _events(row: Point) -> Iterator[tuple[str, str]]:
    if row["overflow"]:
        yield OVERFLOW, f"{row['context']:,} tokens are more than the window holds"
    if row["compaction"] or row["why"]:
        yield COMPACTION if row["compaction"] else CLEARING, "; ".join(row["why"])
    if row["needed_again"]:
        told = "; ".join(row["needed"][:FEW])
        more = len(row["needed"]) - FEW
        yield NEEDED, f"needed again, but gone: {told}" + (f"; and {more} more" if more > 0 else "")
