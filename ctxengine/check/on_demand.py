"""Rules on on-demand compaction: the top-level ``compaction`` parameter and the signed blocks it answers with."""

from __future__ import annotations

from collections.abc import Iterator

from ctxengine.catalog.facts import ON_DEMAND_COMPACTION, SUMMARIZE
from ctxengine.check.asked import forces_tool, inside, problems
from ctxengine.check.planned import compactions, outside
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import OBSERVED, ON_DEMAND, SDK
from ctxengine.conversation import CompactionBlock, in_messages
from ctxengine.findings import Place, Severity
from ctxengine.origin import Origin

ON_DEMAND_MODES = ("on_demand", "background")
"""Compaction modes that nothing but on-demand compaction serves."""
INSTRUCTED_MODES = (*ON_DEMAND_MODES, "auto")
"""Compaction modes whose instructions may go into an on-demand request."""


def signed_blocks(facts: Facts) -> list[CompactionBlock]:
    return [block for block in facts.conversation.compaction_blocks if block.kind == "signed"]


@rule(
    "odc-combine",
    "error",
    "A compaction request carries context_management.",
    help="leave context_management out of the compaction request; the edits may come back with the next one",
    source=ON_DEMAND,
)
def odc_combine(facts: Facts) -> Iterator[Hit]:
    if facts.request.get("compaction") is not None and facts.request.get("context_management") is not None:
        yield Hit(
            "compaction and context_management are in one request, which the API refuses", Place("context_management")
        )


@rule(
    "odc-forbidden",
    "error",
    "A compaction request, or one that carries a signed block, has an argument that excludes it.",
    help="leave the argument out of this request",
    source=ON_DEMAND,
)
def odc_forbidden(facts: Facts) -> Iterator[Hit]:
    compacts = facts.request.get("compaction") is not None
    if compacts:
        barred = {
            "stop_sequences": bool(facts.request.get("stop_sequences")),
            "output_config.format": inside(facts, "output_config.format") is not None,
            "tool_choice": forces_tool(facts),
            "max_tokens": facts.request.get("max_tokens") == 0,
        }
        for path in (path for path, present in barred.items() if present):
            yield Hit(f"{_shown(facts, path)} cannot stand in a compaction request", Place(path))
    remaining = "output_config.task_budget.remaining"
    if inside(facts, remaining) is not None and (compacts or signed_blocks(facts)):
        why = "in a compaction request" if compacts else "beside a signed compaction block"
        yield Hit(f"{remaining} cannot stand {why}", Place(remaining))


def _shown(facts: Facts, path: str) -> str:
    return {"max_tokens": "max_tokens 0", "tool_choice": "a tool_choice that forces a tool use"}.get(path, path)


@rule(
    "odc-pending-tool",
    "error",
    "A compaction request ends in a tool use without a result.",
    help="send the compaction request after the message that holds the tool results",
    source=f"{ON_DEMAND}; {SDK}",
)
def odc_pending_tool(facts: Facts) -> Iterator[Hit]:
    pending = len(facts.conversation.open_tool_uses) + len(facts.conversation.open_server_uses)
    if pending and facts.request.get("compaction") is not None:
        where = in_messages(len(facts.conversation.messages) - 1)
        yield Hit(f"{pending} tool use(s) at the end have no result yet: compaction_incomplete_turn", Place(where.path))


@rule(
    "odc-block-first",
    "error",
    "A signed compaction block is not the first block of the messages, or not the only one with a summary.",
    help="send the newest signed block first and drop everything before it",
    source=f"{ON_DEMAND}; {SDK}",
)
def odc_block_first(facts: Facts) -> Iterator[Hit]:
    if not signed_blocks(facts):
        return
    summaries = [block for block in facts.conversation.compaction_blocks if block.counts]
    if len(summaries) > 1:
        message = f"{len(summaries)} compaction blocks with a summary are sent, where a signed one must be alone"
        yield Hit(f"{message}: compaction_block_ambiguous", Place(summaries[-1].at.path))
    for block in signed_blocks(facts):
        if block.at != facts.plan.first or block.at.index in facts.conversation.system_messages:
            message = "a signed compaction block must be the first block of the first message"
            yield Hit(f"{message}, user or assistant: compaction_block_misplaced", Place(block.at.path))


@rule(
    "odc-block-plus-edit",
    "error",
    "The history holds a signed compaction block, and an edit compacts too.",
    help="leave the edit out and compact on demand again when the conversation has grown",
    source=SDK,
)
def odc_block_plus_edit(facts: Facts) -> Iterator[Hit]:
    for block in signed_blocks(facts)[:1]:
        for edit in compactions(facts):
            yield Hit(f"{edit.type} cannot stand beside the signed compaction block at {block.at.path}", edit.origin)


@rule(
    "odc-leftover",
    "warning",
    "Messages that a signed compaction block stands for are sent with it.",
    help="drop them: the summary stands for them, and they are paid a second time",
    source=ON_DEMAND,
)
def odc_leftover(facts: Facts) -> Iterator[Hit]:
    newest = facts.conversation.newest_block
    if newest and newest.kind == "signed" and facts.plan.pruned is None and newest.at > in_messages(0, 0):
        left = f"{newest.at.index} message(s) and {newest.at.block} block(s)"
        yield Hit(f"{left} before the signed compaction block are still in the history", Place(newest.at.path))


@rule(
    "odc-tamper",
    "error",
    "A signed compaction block is visibly not what the API returned.",
    help="send the block back exactly as it came; a copy with other content no longer fits its signature",
    source=OBSERVED,
)
def odc_tamper(facts: Facts) -> Iterator[Hit]:
    """Only types are judged: whether a changed text still fits its signature is the API's secret."""
    yield from problems(facts, "odc-tamper")


ODC_BEDROCK, ODC_MODEL, ODC_INSTR_LEN = "odc-bedrock", "odc-model", "odc-instr-len"
PLATFORM_HELP = "use compaction.mode threshold there, or send the conversation through another platform"
MODEL_HELP = "use a model that compacts, or compaction.mode client"


@rule(
    ODC_BEDROCK,
    "error",
    "The policy compacts on demand, on a platform that cannot.",
    help=PLATFORM_HELP,
    source=ON_DEMAND,
    needs="target",
)
def odc_bedrock(facts: Facts) -> Iterator[Hit]:
    yield from _wanted_by_policy(facts, _platform_lacks(facts))


@rule(
    ODC_BEDROCK,
    "error",
    "The request compacts on demand, or carries a signed block, on a platform that has no such compaction.",
    help=PLATFORM_HELP,
    source=ON_DEMAND,
)
def odc_bedrock_as_given(facts: Facts) -> Iterator[Hit]:
    yield from _wanted_by_request(facts, _platform_lacks(facts))


@rule(
    ODC_MODEL,
    "error",
    "The policy compacts on demand, with a model that cannot.",
    help=MODEL_HELP,
    source=ON_DEMAND,
    needs="target",
)
def odc_model(facts: Facts) -> Iterator[Hit]:
    yield from _wanted_by_policy(facts, _model_lacks(facts))


@rule(
    ODC_MODEL,
    "error",
    "The request compacts on demand, or carries a signed block, with a model that has no such compaction.",
    help=MODEL_HELP,
    source=ON_DEMAND,
)
def odc_model_as_given(facts: Facts) -> Iterator[Hit]:
    yield from _wanted_by_request(facts, _model_lacks(facts))


def _platform_lacks(facts: Facts) -> str:
    """Whose fault it is that there is no on-demand compaction; "" where there is, or nobody knows."""
    return facts.target.platform.title if facts.target.platform_lacks(ON_DEMAND_COMPACTION) else ""


def _model_lacks(facts: Facts) -> str:
    return facts.target.model if facts.target.model_lacks(SUMMARIZE) else ""


def _wanted_by_policy(facts: Facts, lacking: str) -> Iterator[Hit]:
    policy = facts.plan.policy
    mode = policy.get("compaction.mode")
    if lacking and facts.plan.mode == "enforce" and mode in ON_DEMAND_MODES:
        severity: Severity = "info" if policy.get("on_unsupported") == "degrade" else "error"
        message = f'{lacking} has no on-demand compaction, which compaction.mode "{mode}" needs'
        yield Hit(message, policy.origin("compaction.mode"), severity)


def _wanted_by_request(facts: Facts, lacking: str) -> Iterator[Hit]:
    if lacking and facts.request.get("compaction") is not None:
        yield Hit(f"{lacking} has no on-demand compaction", Place("compaction"))
    for block in signed_blocks(facts) if lacking else ():
        yield Hit(f"{lacking} has no on-demand compaction, so the signed block is refused", Place(block.at.path))


@rule(
    ODC_INSTR_LEN,
    "error",
    "The policy's instructions are too long for an on-demand compaction.",
    help="shorten them",
    source=ON_DEMAND,
    needs="policy",
)
def odc_instr_len(facts: Facts) -> Iterator[Hit]:
    policy = facts.plan.policy
    if facts.plan.mode == "enforce" and policy.get("compaction.mode", "auto") in INSTRUCTED_MODES:
        path = "compaction.instructions"
        yield from _too_long(facts, policy.get(path), policy.origin(path))


@rule(
    ODC_INSTR_LEN,
    "error",
    "The request's instructions are too long for an on-demand compaction.",
    help="shorten them",
    source=ON_DEMAND,
)
def odc_instr_len_as_given(facts: Facts) -> Iterator[Hit]:
    path = "compaction.instructions"
    yield from _too_long(facts, inside(facts, path), Place(path))


def _too_long(facts: Facts, text: object, where: Place | Origin) -> Iterator[Hit]:
    broken = outside(facts.catalog.limit("compaction.instructions"), len(text)) if isinstance(text, str) else ""
    if isinstance(text, str) and broken:
        yield Hit(f"the instructions have {len(text):,} characters and {broken}", where)


@rule(
    "odc-maxtokens",
    "warning",
    "max_tokens of a compaction request is small.",
    help="raise max_tokens: thinking counts too, and a summary that does not fit comes back empty and is billed",
    source=ON_DEMAND,
)
def odc_maxtokens(facts: Facts) -> Iterator[Hit]:
    tokens, limit = facts.request.get("max_tokens"), facts.catalog.limit("compaction.max_tokens")
    if facts.request.get("compaction") is None or not isinstance(tokens, int) or tokens <= 0:
        return
    if limit.at_least and tokens < limit.at_least:
        message = f"max_tokens is {tokens:,}; a summary may need more than {limit.at_least:,.0f} tokens"
        yield Hit(message, Place("max_tokens"))
