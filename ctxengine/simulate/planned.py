"""One policy for one conversation: the engine's plan, in the terms of the arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ctxengine.catalog.facts import Ttl
from ctxengine.engine import Engine, Planner
from ctxengine.findings import Finding
from ctxengine.plan import Plan
from ctxengine.plan.values import SESSION_ONLY
from ctxengine.semantics.cache_prompt import ttl_of_mark
from ctxengine.simulate.scan import Scan, Start
from ctxengine.tokens import CalibratedCounter, measure


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy under comparison."""

    name: str
    engine: Engine
    baseline: bool = False
    """Stands for the conversation as it is, without a policy."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a policy sends with each request of a conversation."""

    edits: Mapping[str, Mapping[str, Any]]
    """Type → wire fields with the API's defaults, in the order they are sent."""
    wanted: frozenset[str]
    """Places of the policy's cache marks."""
    ttls: Mapping[str, Ttl]
    slots: int
    """Cache marks a request may have."""
    minimum: int
    """Tokens below which the policy sets no mark; 0 where the model's minimum is unknown."""
    automatic: Ttl | None
    """Of the request's own top-level mark."""
    lookback: int
    counter: CalibratedCounter
    refusals: tuple[Finding, ...] = ()
    """Why the API would refuse what the policy sends."""
    flaws: tuple[Finding, ...] = ()
    """What the API would refuse of the record, whose requests are replayed all the same."""
    warnings: tuple[Finding, ...] = ()
    """What the rules say against the policy, and what of its compaction is not simulated, as it takes place between
    requests."""


OF_TODAY = ("model-retired",)
"""What the API says today to what it took when it was recorded."""
PLACES = ("tools", "system", "compaction_block", "last_message")


def planned(
    candidate: Candidate, planner: Planner, made: Scan, messages: int, known: Sequence[Finding] = ()
) -> Planned:
    """The plan for the first so many messages; what follows is planned the same until a compaction block comes.

    Args:
        planner: of the candidate, for this conversation.
        known: what the API would refuse of the record itself.
    """
    engine, target = candidate.engine, made.target
    kwargs = {**made.request, "model": target.asked_model, "messages": made.request["messages"][:messages]}
    plan = planner.plan(platform=target.platform.name, **kwargs)
    facts = engine.catalog.edits
    control = made.request.get("cache_control")
    refusals, flaws = _refusals_and_flaws(plan, known)
    wanted = frozenset(plan.policy.get("cache.breakpoints", ())) if plan.mode == "enforce" else frozenset()
    ttls = {place: plan.policy.get(f"cache.ttl.{place}", "5m") for place in PLACES}
    if candidate.baseline and made.recorded_ttl is not None:
        # logs do not show the marks; bills with cache tokens say that there were some
        wanted, ttls = frozenset(PLACES), dict.fromkeys(PLACES, made.recorded_ttl)
    return Planned(
        edits={
            edit.type: facts[edit.type].filled(edit.params) if edit.type in facts else dict(edit.params)
            for edit in plan.edits
        },
        wanted=wanted,
        ttls=ttls,
        slots=target.platform.cache_slots,
        minimum=target.min_cache or 0,
        automatic=None if control is None else ttl_of_mark(control),
        lookback=int(engine.catalog.limit("cache.lookback").at_most or 0),
        counter=CalibratedCounter(engine.catalog.tokenizers),
        refusals=refusals,
        flaws=flaws,
        warnings=tuple(_warnings(plan, candidate.name)),
    )


def cacheable_from(plan: Planned, made: Scan, start: Start, more: int) -> tuple[bool, bool, int]:
    """Where the policy's marks begin to be worth it: whether on the tools, on the system prompt, and the first row.

    As the engine sees it: by the upper end of the estimate's band.

    Args:
        start: where the prompt's messages begin.
        more: tokens in front of it that stand nowhere in the conversation.
    """
    facts, minimum = made.target.facts, plan.minimum
    tools, system = made.measured
    size = system + tools
    more += made.fit.hidden
    on_tools = plan.counter.estimate(tools, facts).high >= minimum
    if plan.counter.estimate(size, facts).high + more >= minimum:
        return on_tools, True, start.row
    messages = made.request["messages"]
    for index in range(start.message, len(messages)):
        size += measure(messages[index])
        if plan.counter.estimate(size, facts).high + more >= minimum:
            return on_tools, False, max(made.first_rows[index], start.row)
    return on_tools, False, len(made.sizes)


def _warnings(plan: Plan, name: str) -> Iterator[Finding]:
    if plan.mode != "enforce":
        return
    if (written := plan.policy.get("mode", plan.mode)) != plan.mode:
        message = f'{name} is compared as if its mode were "enforce", and not "{written}"'
        yield Finding("simulate-mode", "info", message, "no action needed: this is what it would do")
    for finding in plan.report:
        if finding.rule == SESSION_ONLY:
            message = f"{name} is compared without its compaction: {finding.message}"
            yield replace(finding, rule="simulate-session", severity="warning", message=message)
        elif finding.severity == "warning" and finding.where.file and not finding.estimated:
            yield finding


def _refusals_and_flaws(plan: Plan, known: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What the API would refuse of the plan, and what it would refuse of the record whatever the plan.

    Without a policy only the edits' own errors count. The rest of the record was sent as it is, and is replayed also
    for a model that takes less.
    """
    errors = [error for error in plan.report.errors if not error.estimated and error.rule not in OF_TODAY]
    if plan.mode == "enforce":
        places = {(error.rule, error.where.path) for error in known}
        flaws = tuple(error for error in errors if (error.rule, error.where.path) in places)
    else:
        flaws = tuple(error for error in errors if not error.rule.startswith("edit-"))
    of_the_record = set(flaws)
    return tuple(error for error in errors if error not in of_the_record), flaws
