"""Rules on sizes. They rest on estimates unless the sizes are known, and so never refuse a build by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from ctxengine.check.planned import amount, asked, compactions, input_trigger, is_whole, thinking_edits, tool_edits
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, CONTEXT_EDITING, MODELS, PROMPT_CACHING, STOP_REASONS
from ctxengine.conversation import AT_END, SYSTEM, TOOLS, Position, blocks_of, field_of
from ctxengine.findings import Place
from ctxengine.tokens import Estimate

SUMMARY = 3000
"""Tokens to expect of a compaction's summary; a published run had 2,783 and 2,839."""
OVERFLOW_BETA = "overflow_stop"


@rule(
    "edit-compact-floor",
    "warning",
    "System prompt, tools and a summary alone reach the compaction trigger: every turn compacts.",
    help="raise the trigger, or shorten the system prompt and the tool definitions",
    source=COMPACTION,
    estimated=True,
)
def edit_compact_floor(facts: Facts) -> Iterator[Hit]:
    for edit in compactions(facts):
        trigger = input_trigger(facts, edit)
        if trigger is not None and facts.fixed_size.tokens + SUMMARY >= trigger:
            message = f"system and tools hold about {facts.fixed_size.tokens:,} tokens"
            reach = f"with a summary they reach the compaction trigger of {trigger:,} at once"
            yield Hit(f"{message}; {reach}", asked(edit, "trigger"))


@rule(
    "edit-clear-at-least-unreachable",
    "warning",
    "More must be freed than the messages hold when the edit is triggered.",
    help="ask for less, or raise the trigger by what system and tools take",
    source=CONTEXT_EDITING,
    estimated=True,
)
def clear_at_least_size(facts: Facts) -> Iterator[Hit]:
    for edit in tool_edits(facts):
        trigger, least = input_trigger(facts, edit), amount(edit.params.get("clear_at_least"))
        fixed = facts.fixed_size.tokens
        if trigger is not None and least and trigger - fixed < least.value < trigger:
            message = f"{edit.type} must free {least.value:,} tokens; of {trigger:,} at its trigger"
            yield Hit(f"{message}, system and tools hold about {fixed:,}", asked(edit, "clear_at_least"))


@rule(
    "cache-min",
    "warning",
    "The prompt up to a cache mark is shorter than what the model caches.",
    help="move the mark further down, or take it out: nothing is cached there, and nothing says so",
    source=PROMPT_CACHING,
    estimated=True,
)
def cache_min(facts: Facts) -> Iterator[Hit]:
    minimum = facts.target.min_cache
    if minimum is None:
        return
    for mark in facts.conversation.marks:
        size = _prefix(facts, mark.at)
        if size.high < minimum:
            message = f"the prompt up to this mark has about {size.tokens:,} tokens"
            least = f"{facts.target.model} caches from {minimum:,} on"
            yield Hit(f"{message}; {least}", Place("cache_control" if mark.at == AT_END else mark.at.path))


def _prefix(facts: Facts, at: Position) -> Estimate:
    """Tokens of the prompt up to a mark, in the API's order: tools, system, messages."""
    found, model = facts.conversation, facts.target.facts
    if at == AT_END:
        return facts.size
    if at.section == TOOLS:
        return facts.counter.count(None, found.tools[: at.index + 1], (), model)
    if at.section == SYSTEM:
        return facts.counter.count(found.system[: at.index + 1], found.tools, (), model)
    message = found.messages[at.index]
    part = {"role": field_of(message, "role"), "content": list(blocks_of(message)[: at.block + 1])}
    return facts.counter.count(
        found.system, found.tools, [*found.messages[facts.plan.first.index : at.index], part], model
    )


@rule(
    "overflow-input",
    "error",
    "The prompt is larger than the context window; a warning where an edit of the plan may still make it smaller.",
    help="clear or compact earlier, or shorten the conversation",
    source=STOP_REASONS,
    estimated=True,
)
def overflow_input(facts: Facts) -> Iterator[Hit]:
    window = facts.target.window
    if window is None or facts.size.tokens <= window:
        return
    size = facts.size
    sure = size.low > window and not _acts(facts)
    message = f"the prompt has about {size.tokens:,} tokens ({size.low:,} to {size.high:,})"
    yield Hit(
        f"{message}; the window of {facts.target.model} is {window:,}", Place("messages"), None if sure else "warning"
    )


def _acts(facts: Facts) -> bool:
    """Whether an edit of the plan fires at the prompt's size, so that less reaches the model."""
    if any(amount(edit.params.get("keep")) for edit in thinking_edits(facts)):
        return True
    by_uses = any(input_trigger(facts, edit) is None for edit in tool_edits(facts))
    return by_uses or any(
        (trigger := input_trigger(facts, edit)) is not None and trigger < facts.size.high for edit in facts.plan.edits
    )


@rule(
    "overflow-out",
    "error",
    "Prompt and max_tokens together exceed the window; an error where the model refuses that instead of stopping.",
    help="lower max_tokens, or clear and compact earlier",
    source=STOP_REASONS,
    estimated=True,
)
def overflow_out(facts: Facts) -> Iterator[Hit]:
    model, output = facts.target.facts, facts.request.get("max_tokens")
    if (
        model is None
        or model.window is None
        or not is_whole(output)
        or "max_tokens" not in facts.catalog.surfaces[facts.surface]
    ):
        return
    size, room = facts.size, model.window - output
    if not room < size.tokens <= model.window:
        return
    refused = model.overflow_stops is False and not set(facts.catalog.betas_for(OVERFLOW_BETA)) & set(
        facts.plan.beta_names
    )
    sure = refused and size.low > room and not _acts(facts)
    ends = "the request is refused" if refused else "the reply stops with model_context_window_exceeded"
    message = (
        f"about {size.tokens:,} tokens of prompt and {output:,} of max_tokens exceed the window of {model.window:,}"
    )
    yield Hit(f"{message}; {ends}", Place("max_tokens"), "error" if sure else "warning")


@rule(
    "haiku55-tier",
    "warning",
    "The prompt is past the size up to which the model is cheap.",
    help="clear or compact below that size: the higher rate holds for every token of such a request",
    source=MODELS,
    estimated=True,
)
def tier_by_size(facts: Facts) -> Iterator[Hit]:
    prices = facts.target.facts.prices if facts.target.facts else ()
    ceiling = prices[0].up_to if len(prices) > 1 else None
    if ceiling is None or facts.size.tokens <= ceiling:
        return
    triggers = [trigger for edit in facts.plan.edits if (trigger := input_trigger(facts, edit)) is not None]
    if min(triggers, default=ceiling + 1) > ceiling:
        costs = f"{facts.target.model} costs {prices[1].input / prices[0].input:g} times as much"
        yield Hit(f"the prompt has about {facts.size.tokens:,} tokens; above {ceiling:,}, {costs}", Place("messages"))
