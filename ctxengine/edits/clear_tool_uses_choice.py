"""Which tool uses ``clear_tool_uses_20250919`` clears: arithmetic on sizes, without a look at the messages.

Clearable uses count towards ``keep`` and a ``tool_uses`` trigger; candidates are those of them before the newest
``keep`` that have a result. They go oldest first, in batches that each free ``clear_at_least``; as the batches depend
on nothing that comes later, the cleared prefix of a growing conversation only grows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, NamedTuple

from ctxengine.edits.switches import Switches


class Use(NamedTuple):
    """One tool use of the history."""

    name: str
    frees: int
    """Tokens that are freed when the placeholder takes the place of its result."""
    input_frees: int = 0
    """Tokens that are freed when its input goes."""
    tiny: bool = False
    """Its result is text of no more bytes than the placeholder is worth."""
    has_result: bool = True


class Cut(NamedTuple):
    """How far clearing goes: so many candidates, oldest first, and the tokens that frees."""

    uses: int = 0
    tokens: int = 0


NOTHING = Cut()


class Clearing:
    """One edit over one growing history: add each use once, ask at every turn. Asking costs O(log n).

    Args:
        params: the edit's fields with the API's defaults filled in.
    """

    def __init__(self, params: Mapping[str, Any], switches: Switches) -> None:
        self._kind, self._trigger = params["trigger"]["type"], params["trigger"]["value"]
        self._keep = params["keep"]["value"]
        self._least = (params.get("clear_at_least") or {}).get("value") or 0
        self._excluded = frozenset(params.get("exclude_tools") or ())
        inputs = params.get("clear_tool_inputs") or ()
        self._all_inputs = inputs is True
        self._inputs = frozenset(() if inputs is True else inputs)
        self._count_excluded = switches["clear_tool_uses.excluded"] == "counted"
        self._keep_latest = switches["clear_tool_uses.latest_result"] == "kept"
        self._must_save = switches["clear_tool_uses.no_saving"] == "kept"
        self._seen = 0
        self._latest = -1
        self._candidates: list[int] = []
        self._ready = [0]
        """How many candidates are among the first n counted uses."""
        self._ends: list[int] = []
        """Numbers of candidates at which a batch is complete."""
        self._freed = [0]
        """Tokens that the first n batches free."""
        self._open = 0
        """Tokens of the batch that is not complete."""

    def clears_input(self, name: str) -> bool:
        return self._all_inputs or name in self._inputs

    def add(self, use: Use) -> None:
        """The next use in prompt order, with its result if it has one by now."""
        index, self._seen = self._seen, self._seen + 1
        if use.has_result:
            self._latest = index
        excluded, inputs = use.name in self._excluded, self.clears_input(use.name)
        if self._count_excluded if excluded else not use.tiny or inputs:
            frees = use.frees + (use.input_frees if inputs else 0)
            if use.has_result and not excluded and not (self._must_save and frees <= 0):
                self._add_candidate(index, frees)
            self._ready.append(len(self._candidates))

    def cut(self, prompt_tokens: int) -> Cut:
        """What is cleared from the history so far, in a prompt of that size."""
        counted = len(self._ready) - 1
        if counted <= self._keep or (prompt_tokens if self._kind == "input_tokens" else counted) <= self._trigger:
            return Cut()
        ready = self._ready[counted - self._keep]
        if self._keep_latest and ready and self._candidates[ready - 1] == self._latest:
            ready -= 1
        batches = bisect_right(self._ends, ready)
        return Cut(self._ends[batches - 1], self._freed[batches]) if batches else Cut()

    def cleared(self, cut: Cut, beyond: Cut = NOTHING) -> tuple[int, ...]:
        """The cleared uses by the order in which they were added, from 0; those alone that a lesser cut left."""
        return tuple(self._candidates[beyond.uses : cut.uses])

    def _add_candidate(self, index: int, frees: int) -> None:
        self._candidates.append(index)
        self._open += frees
        if not self._least or self._open >= self._least:
            self._ends.append(len(self._candidates))
            self._freed.append(self._freed[-1] + self._open)
            self._open = 0
