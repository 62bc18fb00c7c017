"""Passes ``carry_compaction`` and ``prune``: what a compaction block in the history demands of this request."""

from __future__ import annotations

from dataclasses import replace

from ctxengine.conversation import CompactionBlock
from ctxengine.findings import Finding, Place
from ctxengine.plan.fit import order
from ctxengine.plan.inputs import CompileInput
from ctxengine.plan.plan import HISTORY, Plan, PlannedEdit, Pruned
from ctxengine.plan.values import Values
from ctxengine.policy.document import Settings

DIRECTIVES = {*Settings.model_fields, "overrides"} - {"mode", "on_unsupported", "ignore"}
"""The keys of a policy that ask for something, beside those on how the rest is taken."""


def carry_compaction(plan: Plan, given: CompileInput) -> Plan:
    """An unsigned block makes its edit sticky; a signed one forbids it; a compaction request renders no edits."""
    block = given.conversation.newest_block
    if plan.compaction is not None:
        return replace(plan, edits=())
    if block is None:
        return plan
    if block.kind == "signed":
        return _without_compaction(plan, block, given)
    if plan.edit(given.catalog.compaction_edit.type) is not None:
        return plan
    return _with_sticky_edit(plan, given)


def prune(plan: Plan, given: CompileInput) -> Plan:
    """Drop what stands before the newest block that has content; the API ignores or refuses it."""
    block = given.conversation.newest_block
    if block is None or (block.at.index == 0 and block.at.block == 0):
        return plan
    signed = any(one.kind == "signed" for one in given.conversation.compaction_blocks)
    if not signed and not asks_for_anything(given):
        return plan
    pruned = Pruned(block.at, block.at.index, block.at.block)
    rule = "odc-leftover" if block.kind == "signed" else "block-stale-history"
    finding = Finding(
        rule,
        "info",
        f"{pruned.messages} message(s) and {pruned.blocks} block(s) before the compaction block are not sent",
        "drop them from the history: the block's summary stands for them",
        Place(block.at.path),
    )
    return replace(plan, pruned=pruned, report=plan.report.plus([finding]))


def asks_for_anything(given: CompileInput) -> bool:
    """Whether a layer or the call asks for something; an empty policy adds only what the history itself demands."""
    return any(DIRECTIVES & asked.keys() for asked in (*(layer.data for layer in given.layers), given.arguments or {}))


def _without_compaction(plan: Plan, block: CompactionBlock, given: CompileInput) -> Plan:
    compact = plan.edit(given.catalog.compaction_edit.type)
    if compact is None:
        return plan
    finding = Finding(
        "odc-block-plus-edit",
        "info",
        f"{compact.type} is left out: the history holds a signed compaction block, which excludes it",
        "compact on demand again when the conversation has grown",
        Place(block.at.path),
    )
    kept = tuple(edit for edit in plan.edits if edit is not compact)
    return replace(plan, edits=kept, report=plan.report.plus([finding]))


def _with_sticky_edit(plan: Plan, given: CompileInput) -> Plan:
    fact = given.catalog.compaction_edit
    wanted = plan.policy.get("compaction") or {}
    values = Values(plan.policy, given)
    params = values.compaction_params(wanted, raise_any=True)
    because = "the history holds an unsigned compaction block, which is refused without this edit"
    window = given.target.window
    if wanted.get("mode") == "off" and window is not None:
        params = {"trigger": {"type": "input_tokens", "value": window}}
        because += "; compaction.mode is off, so its trigger is the whole context window"
    sticky = PlannedEdit(fact.type, params, {"": HISTORY}, because)
    report = plan.report.plus(values.findings)
    return order(replace(plan, edits=(*plan.edits, sticky), report=report), given)
