"""The compiler: a tuple of named passes, each ``(Plan, CompileInput) -> Plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ctxengine.findings import Finding, Place
from ctxengine.plan.betas import collect_betas
from ctxengine.plan.breakpoints import place_breakpoints
from ctxengine.plan.fit import fit, order
from ctxengine.plan.history import carry_compaction, prune
from ctxengine.plan.inputs import CompileInput, Pass, situation_of
from ctxengine.plan.plan import REQUEST, Plan, PlannedBeta, PlannedEdit
from ctxengine.plan.values import resolve_values
from ctxengine.policy import resolve


def fold(plan: Plan, given: CompileInput) -> Plan:
    """Layers, arguments, the request's own edits and plugins become one policy."""
    policy = resolve(
        given.layers,
        situation_of(given),
        arguments=given.arguments,
        request_edits=given.request.edits,
        contributions=given.contributions,
        edit_words={fact.type: fact.merge for fact in given.catalog.edits.values()},
    )
    return replace(plan, policy=policy, report=plan.report.plus(policy.findings))


POLICY_PASSES: tuple[Pass, ...] = (fold, resolve_values, fit, order)
"""What depends on policy and target alone: compiled once for many requests."""
REQUEST_PASSES: tuple[Pass, ...] = (carry_compaction, prune, place_breakpoints, collect_betas)
PASSES = POLICY_PASSES + REQUEST_PASSES


def run(passes: tuple[Pass, ...], plan: Plan, given: CompileInput) -> Plan:
    for step in passes:
        plan = step(plan, given)
    return plan


def compile_policy(given: CompileInput) -> Plan:
    """The part of a plan that is the same for every request of this policy and target."""
    return run(POLICY_PASSES, Plan("enforce", given.target, resolve((), situation_of(given))), given)


def compile_request(plan: Plan, given: CompileInput) -> Plan:
    """The whole plan, from a compiled policy and the request at hand."""
    if isinstance(given.request.get("thread"), Mapping):
        return _threaded(plan, given)
    compaction = given.request.get("compaction")
    return run(REQUEST_PASSES, replace(plan, compaction=compaction) if compaction is not None else plan, given)


def as_it_stands(compiled: Plan, given: CompileInput) -> Plan:
    """The plan that changes nothing: what the rules judge where nothing is enforced."""
    edits = tuple(_as_given(index, edit) for index, edit in enumerate(given.request.edits))
    betas = tuple(PlannedBeta(name, REQUEST, "the request lists it") for name in given.request.betas)
    compaction = given.request.get("compaction")
    return Plan(compiled.mode, compiled.target, compiled.policy, edits, compaction, betas=betas)


def _as_given(index: int, edit: Any) -> PlannedEdit:
    fields = dict(edit) if isinstance(edit, Mapping) else {}
    origin = replace(REQUEST, path=f"context_management.edits.{index}")
    return PlannedEdit(str(fields.pop("type", "")), fields, {"": origin})


def _threaded(plan: Plan, given: CompileInput) -> Plan:
    """A request with ``thread`` passes untouched: the API refuses edits there."""
    untouched = as_it_stands(plan, given)
    if not plan.edits or given.request.edits:
        return untouched
    finding = Finding(
        "thread-unsupported",
        "warning",
        f"{len(plan.edits)} edit(s) of the policy are left out, since the API refuses context_management with thread",
        "send the request without thread (tool_runner: thread=False) to have the policy applied",
        Place("thread"),
    )
    return replace(untouched, report=plan.report.plus([finding]))
