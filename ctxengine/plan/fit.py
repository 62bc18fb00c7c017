"""Passes ``fit`` and ``order``: leave out what the target lacks, where the policy says so, and put edits in line."""

from __future__ import annotations

from dataclasses import replace

from ctxengine.findings import Finding
from ctxengine.plan.inputs import CompileInput
from ctxengine.plan.plan import Plan, PlannedEdit
from ctxengine.plan.values import obstacle


def fit(plan: Plan, given: CompileInput) -> Plan:
    """With ``on_unsupported: degrade``, drop the edits the model or platform lacks and say so."""
    if plan.policy.get("on_unsupported", "error") != "degrade":
        return plan
    kept: list[PlannedEdit] = []
    findings: list[Finding] = []
    for edit in plan.edits:
        fact = given.catalog.edits.get(edit.type)
        why = obstacle(fact, given.target) if fact else None
        if why is None:
            kept.append(edit)
        else:
            findings.append(_degraded(edit, why))
    return replace(plan, edits=tuple(kept), report=plan.report.plus(findings)) if findings else plan


def order(plan: Plan, given: CompileInput) -> Plan:
    """Edits by the catalog's rank: thinking first, then tool uses, then compaction, which sees what all others left;
    unknown types right before it."""
    ranked = sorted(plan.edits, key=lambda edit: _rank(edit, given))
    return replace(plan, edits=tuple(ranked))


def _rank(edit: PlannedEdit, given: CompileInput) -> tuple[int, bool]:
    fact = given.catalog.edits.get(edit.type)
    return (fact or given.catalog.compaction_edit).rank, fact is not None


def _degraded(edit: PlannedEdit, why: str) -> Finding:
    remedy = 'set on_unsupported to "error" to be stopped instead'
    return Finding("degraded", "info", f"{edit.type} is left out: {why}", remedy, edit.origin.place)
