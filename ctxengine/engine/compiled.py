"""A policy compiled for one target, kept for the next request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ctxengine.conversation import Conversation
from ctxengine.findings import Finding
from ctxengine.plan import CompileInput, Plan, compile_policy
from ctxengine.request import Request
from ctxengine.tokens import TokenCounter

REMEMBERED_ANSWERS = 8
REMEMBERED_VERDICTS = 8


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through the engine."""

    request: Request
    conversation: Conversation
    platform: str | None
    surface: str
    settings: Mapping[str, Any] | None
    counter: TokenCounter | None
    today: date


@dataclass(frozen=True, slots=True)
class Compiled:
    """The policy's part of a plan, with what the rules that need no request said of it."""

    plan: Plan
    verdicts: dict[tuple[Any, ...], tuple[Finding, ...]] = field(default_factory=dict)
    answered: list[tuple[Any, Compiled]] = field(default_factory=list)
    """What plugins asked for lately, with the policy that came of it: they mostly ask for the same again."""

    def verdict(self, key: tuple[Any, ...], judge: Callable[[], Iterable[Finding]]) -> tuple[Finding, ...]:
        """What the rules said of the like before, else what they say now."""
        said = self.verdicts.get(key)
        if said is None:
            if len(self.verdicts) >= REMEMBERED_VERDICTS:
                self.verdicts.clear()
            said = self.verdicts[key] = tuple(judge())
        return said

    def with_contributions(self, given: CompileInput) -> Compiled:
        """The same with what plugins contribute."""
        for asked, compiled in tuple(self.answered):
            if asked == given.contributions:
                return compiled
        compiled = Compiled(compile_policy(given))
        self.answered[REMEMBERED_ANSWERS - 1 :] = []
        self.answered.insert(0, (given.contributions, compiled))
        return compiled
