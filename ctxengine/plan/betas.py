"""Pass ``collect_betas``: the beta set follows from what is sent, not from a list somebody keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ctxengine.catalog.facts import ON_DEMAND_COMPACTION
from ctxengine.conversation import Conversation
from ctxengine.findings import Finding
from ctxengine.origin import Origin
from ctxengine.plan.inputs import CompileInput
from ctxengine.plan.plan import HISTORY, REQUEST, Plan, PlannedBeta
from ctxengine.request import Request, split_betas


def _inside(name: str, key: str) -> Callable[[Request], bool]:
    def present(request: Request) -> bool:
        value = request.get(name)
        return isinstance(value, Mapping) and value.get(key) is not None

    return present


FEATURE_ARGUMENTS: Mapping[str, tuple[str, Callable[[Request], bool]]] = {
    ON_DEMAND_COMPACTION: ("compaction", lambda request: request.get("compaction") is not None),
    "block_binding": ("thinking.block_binding", _inside("thinking", "block_binding")),
    "task_budget": ("output_config.task_budget", _inside("output_config", "task_budget")),
    "threads": ("thread", lambda request: isinstance(request.get("thread"), Mapping)),
}
"""Feature of a beta → the argument that uses it, and how to see that."""
TOOL_FEATURES: Mapping[str, str] = {"advisor_": "advisor"}
"""How types of tools begin that are known with a beta alone → the feature of that beta."""


def collect_betas(plan: Plan, given: CompileInput) -> Plan:
    """One list, each once: the caller's, the policy's, then what edits, history and features in use need."""
    listed, findings = _listed(plan, given)
    betas: dict[str, PlannedBeta] = {}
    for beta in (*_of_request(given), *listed, *_needed(plan, given)):
        betas.setdefault(beta.name, beta)
    return replace(plan, betas=tuple(betas.values()), report=plan.report.plus(findings) if findings else plan.report)


def _of_request(given: CompileInput) -> Iterator[PlannedBeta]:
    return (PlannedBeta(name, REQUEST, "the request lists it") for name in given.request.betas)


def _listed(plan: Plan, given: CompileInput) -> tuple[list[PlannedBeta], list[Finding]]:
    """The policy's betas; with ``on_unsupported: degrade``, those the platform does not take are findings instead."""
    degrade = plan.policy.get("on_unsupported", "error") == "degrade"
    kept: list[PlannedBeta] = []
    findings: list[Finding] = []
    for index, listed in enumerate(plan.policy.get("betas", ())):
        for name in split_betas([listed]):
            beta = PlannedBeta(name, plan.policy.origin(f"betas.{index}"), "the policy lists it")
            fact = given.catalog.betas.get(name)
            if degrade and fact and given.target.platform.name in fact.unsupported_on:
                findings += [] if name in given.request.betas else [_degraded(beta, given.target.platform.title)]
            else:
                kept.append(beta)
    return kept, findings


def _needed(plan: Plan, given: CompileInput) -> Iterator[PlannedBeta]:
    for edit in plan.edits:
        fact = given.catalog.edits.get(edit.type)
        for name in fact.betas if fact else ():
            yield PlannedBeta(name, edit.origin, f"{edit.type} needs it")
    yield from _for_history(plan, given)
    for feature, (argument, uses) in FEATURE_ARGUMENTS.items():
        if uses(given.request):
            yield from _for_feature(feature, REQUEST, f"{argument} needs it", given)
    for index, feature in tool_features(given.conversation):
        yield from _for_feature(feature, REQUEST, f"tools.{index} needs it", given)


def tool_features(conversation: Conversation) -> Iterator[tuple[int, str]]:
    """Index of each tool that needs a beta, and the feature of that beta."""
    for index, (_, kind) in enumerate(conversation.tool_kinds):
        for beginning, feature in TOOL_FEATURES.items():
            if kind.startswith(beginning):
                yield index, feature


def _for_history(plan: Plan, given: CompileInput) -> Iterator[PlannedBeta]:
    blocks = given.conversation.compaction_blocks
    if not blocks:
        return
    sent = [block for block in blocks if block.at >= plan.first]
    if any(block.kind == "signed" for block in sent):
        yield from _for_feature(
            ON_DEMAND_COMPACTION, HISTORY, "a signed compaction block in the history needs it", given
        )
    if any(block.kind != "signed" for block in sent):
        for name in given.catalog.compaction_edit.betas:
            yield PlannedBeta(name, HISTORY, "a compaction block in the history needs it")


def _for_feature(feature: str, origin: Origin, because: str, given: CompileInput) -> Iterator[PlannedBeta]:
    for name in given.catalog.betas_for(feature):
        yield PlannedBeta(name, origin, because)


def _degraded(beta: PlannedBeta, platform: str) -> Finding:
    remedy = 'set on_unsupported to "error" to be stopped instead'
    return Finding(
        "degraded", "info", f"the beta {beta.name} is left out: {platform} does not take it", remedy, beta.origin.place
    )
