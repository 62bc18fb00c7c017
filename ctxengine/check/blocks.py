"""Rules on compaction blocks in the history."""

from __future__ import annotations

from collections.abc import Iterator

from ctxengine.catalog.facts import ON_DEMAND_COMPACTION
from ctxengine.check.planned import compactions, compacts, input_trigger, tool_edits
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, COOKBOOK, ISSUES, OBSERVED, SDK
from ctxengine.conversation import CompactionBlock, in_messages
from ctxengine.findings import Place, shown


def _newest_unsigned(facts: Facts) -> CompactionBlock | None:
    block = facts.conversation.newest_block
    return block if block and block.kind == "unsigned" else None


@rule(
    "block-needs-beta",
    "error",
    "The history holds a compaction block, and its beta is not sent.",
    help="send the beta for as long as the block is in the history",
    source=OBSERVED,
)
def block_needs_beta(facts: Facts) -> Iterator[Hit]:
    if not facts.conversation.compaction_blocks:
        return
    signed = facts.catalog.betas_for(ON_DEMAND_COMPACTION)
    unsigned = tuple(beta for fact in facts.catalog.edits.values() if compacts(fact) for beta in fact.betas)
    enough = {"signed": signed, "unsigned": unsigned}
    for block in facts.conversation.compaction_blocks:
        betas, sent = enough.get(block.kind, unsigned + signed), set(facts.plan.beta_names)
        if not set(betas) & sent:
            # the other kind's beta makes the API look for, or at, the signature
            path = f"{block.at.path}.signature" if sent & set(signed + unsigned) else block.at.path
            yield Hit(f"the {block.kind} compaction block needs the beta {' or '.join(betas)}", Place(path))


@rule(
    "block-needs-edit",
    "error",
    "The history holds an unsigned compaction block, and no edit compacts.",
    help="keep the compaction edit, with a high trigger to turn it off, or turn the block into plain text",
    source=OBSERVED,
)
def block_needs_edit(facts: Facts) -> Iterator[Hit]:
    block = _newest_unsigned(facts)
    if block and not any(compactions(facts)):
        needed = " or ".join(fact.type for fact in facts.catalog.edits.values() if compacts(fact))
        message = f"the compaction block at {block.at.path} has no signature and is refused without {needed}"
        yield Hit(f"{message} in context_management.edits", Place(block.at.path))


@rule(
    "block-empty",
    "error",
    "A compaction block's content is an empty string.",
    help="drop the block; a failed compaction has null there, which the API takes back",
    source=ISSUES,
)
def block_empty(facts: Facts) -> Iterator[Hit]:
    for block in facts.conversation.compaction_blocks:
        if block.kind == "empty":
            yield Hit(
                "the content of the compaction block is an empty string, which the API refuses", Place(block.at.path)
            )


@rule(
    "block-extra-fields",
    "error",
    "A compaction block has keys that the API does not know.",
    help="send the block as it came: to_dict() of the SDK's object, not model_dump(), which adds null keys",
    source=ISSUES,
)
def block_extra_fields(facts: Facts) -> Iterator[Hit]:
    for block in facts.conversation.compaction_blocks:
        if block.extra_keys:
            message = f"the compaction block has {len(block.extra_keys)} key(s) that the API refuses as extra inputs"
            yield Hit(f"{message}: {', '.join(map(shown, block.extra_keys))}", Place(block.at.path))


@rule(
    "block-null",
    "info",
    "A compaction block without content: a compaction that failed.",
    help="nothing needs to be done; if it repeats, tell the summary in its instructions not to call tools",
    source=SDK,
)
def block_null(facts: Facts) -> Iterator[Hit]:
    for block in facts.conversation.compaction_blocks:
        if block.kind == "null":
            yield Hit(
                "the compaction at this point failed; the block has no effect and is sent as it is",
                Place(block.at.path),
            )


@rule(
    "block-stale-history",
    "warning",
    "Messages before an unsigned compaction block are sent while clearing is triggered by input tokens.",
    help="drop what stands before the block: the summary stands for it",
    source=COOKBOOK,
)
def block_stale_history(facts: Facts) -> Iterator[Hit]:
    block = _newest_unsigned(facts)
    if block is None or facts.plan.pruned is not None or block.at == in_messages(0, 0):
        return
    for edit in tool_edits(facts):
        trigger = input_trigger(facts, edit)
        if trigger is not None:
            message = f"{block.at.index} message(s) before the compaction block count towards the {trigger:,} tokens"
            yield Hit(
                f"{message} at which {edit.type} clears, although the model does not see them", Place(block.at.path)
            )


@rule(
    "model-switch-block",
    "error",
    "The history holds an unsigned compaction block, which the model or platform cannot read.",
    help="stay with a model that compacts, or turn the block into plain text before the switch",
    source=f"{COMPACTION}; {ISSUES}",
)
def model_switch_block(facts: Facts) -> Iterator[Hit]:
    block, target = _newest_unsigned(facts), facts.target
    if block is None:
        return
    for fact in facts.catalog.edits.values():
        lacking = target.lacking(fact) if compacts(fact) else ""
        if lacking:
            yield Hit(f"{lacking} does not support {fact.type}, which the block needs", Place(block.at.path))
