"""What a rule is, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from ctxengine.catalog import Catalog
from ctxengine.conversation import Conversation
from ctxengine.findings import NOWHERE, Finding, Place, Severity
from ctxengine.origin import Origin
from ctxengine.plan import Plan
from ctxengine.policy import Layer
from ctxengine.request import Request
from ctxengine.target import Target
from ctxengine.tokens import Estimate, TokenCounter

Needs = Literal["policy", "target", "request"]
"""What must be known before a rule can judge; each includes the one before."""


@dataclass(frozen=True)
class Facts:
    """Everything a rule may look at: the plan as it will be sent, and what it was made from."""

    plan: Plan
    catalog: Catalog
    layers: Sequence[Layer]
    request: Request
    conversation: Conversation
    """Of what is sent: without pruned messages, with the caller's indexes."""
    surface: str
    counter: TokenCounter
    today: date
    rule_ids: Collection[str] = ()
    """All ids a finding can have; empty where they are not known."""

    @property
    def target(self) -> Target:
        return self.plan.target

    @cached_property
    def size(self) -> Estimate:
        """Tokens of the whole prompt as sent, before any server-side edit."""
        messages = self.conversation.messages[self.plan.first.index :]
        return self.counter.count(self.conversation.system, self.conversation.tools, messages, self.target.facts)

    @cached_property
    def fixed_size(self) -> Estimate:
        """Tokens of system and tools, which no edit ever clears."""
        return self.counter.count(self.conversation.system, self.conversation.tools, (), self.target.facts)


class Hit(NamedTuple):
    """One place where a rule fires; severity and help are the rule's unless given."""

    message: str
    where: Place | Origin = NOWHERE
    severity: Severity | None = None
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong, with the generator that finds it."""

    id: str
    severity: Severity
    """The worst it finds; a hit may say less. ``build`` asks only the rules that could refuse it."""
    summary: str
    """The condition, in one sentence."""
    help: str
    """What to do instead."""
    source: str
    """Where the API's behaviour is documented or was observed."""
    needs: Needs
    estimated: bool
    """Rests on estimated sizes: judged in ``plan`` and ``check``, in ``build`` only where sizes are known."""
    hits: Callable[[Facts], Iterable[Hit]]
    plugin: str | None = None

    def findings(self, facts: Facts) -> list[Finding]:
        found: list[Finding] = []
        for hit in self.hits(facts):  # mostly none: a comprehension would cost a frame for each rule
            found.append(self._finding(hit))  # noqa: PERF401
        return found

    def _finding(self, hit: Hit) -> Finding:
        where = hit.where.place if isinstance(hit.where, Origin) else hit.where
        return Finding(
            self.id, hit.severity or self.severity, hit.message, hit.help or self.help, where, self.estimated
        )


def rule(
    id: str,
    severity: Severity,
    summary: str,
    *,
    help: str,
    source: str,
    needs: Needs = "request",
    estimated: bool = False,
) -> Callable[[Callable[[Facts], Iterable[Hit]]], Rule]:
    """Make a generator of hits a rule."""

    def made(hits: Callable[[Facts], Iterable[Hit]]) -> Rule:
        return Rule(id, severity, summary, help, source, needs, estimated, hits)

    return made
