"""Can it work here? One small generator per rule, grouped by topic; ``RULES`` is the table."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from ctxengine.check import (
    betas,
    blocks,
    cache,
    clearing,
    edits,
    generation,
    history,
    on_demand,
    policies,
    requests,
    sizes,
    surfaces,
    targets,
)
from ctxengine.check.notices import NOTICES
from ctxengine.check.rule import Facts, Hit, Needs, Rule, rule
from ctxengine.findings import Finding

_TOPICS: tuple[ModuleType, ...] = (
    policies,
    targets,
    betas,
    edits,
    clearing,
    on_demand,
    blocks,
    cache,
    history,
    requests,
    generation,
    surfaces,
    sizes,
)
RULES: tuple[Rule, ...] = tuple(item for topic in _TOPICS for item in vars(topic).values() if isinstance(item, Rule))
_REACH: dict[Needs, int] = {"policy": 0, "target": 1, "request": 2}


def run_rules(facts: Facts, rules: Iterable[Rule]) -> list[Finding]:
    """What all the rules find, in their order."""
    found: list[Finding] = []
    for item in rules:
        found += item.findings(facts)
    return found


def able(rules: Iterable[Rule], known: Needs) -> tuple[Rule, ...]:
    """The rules that can judge from what is known."""
    return tuple(item for item in rules if _REACH[item.needs] <= _REACH[known])


def finding_ids(rules: Iterable[Rule]) -> frozenset[str]:
    """Every id a finding can have: the rules', and those of what comes up outside them."""
    return frozenset(rule.id for rule in rules) | {notice.id for notice in NOTICES}


__all__ = ["NOTICES", "RULES", "Facts", "Hit", "Needs", "Rule", "able", "finding_ids", "rule", "run_rules"]
