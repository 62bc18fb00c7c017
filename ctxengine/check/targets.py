"""Rules on the target: what the model and the platform can do, as far as that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ctxengine.check.planned import (
    amount,
    asked,
    asks_for_cache,
    compactions,
    compacts,
    fact_of,
    input_trigger,
    is_whole,
    only_caller_caches,
    thinking_edits,
)
from ctxengine.check.rule import Facts, Hit, rule
from ctxengine.check.sources import COMPACTION, CONTEXT_EDITING, CONTEXT_WINDOWS, MODELS, SDK
from ctxengine.findings import Place, did_you_mean, shown
from ctxengine.plan import PlannedEdit

MODEL = Place("model")
DAYS_AHEAD = 90
"""How long before its retirement a model is worth a word."""


@rule(
    "model-unknown",
    "warning",
    "The model is not in the catalog.",
    help="check the id; if it is right, describe the model in a catalog overlay",
    source=SDK,
    needs="target",
)
def model_unknown(facts: Facts) -> Iterator[Hit]:
    if facts.target.facts is None:
        model = facts.target.asked_model
        message = f"the model {shown(model)} is not in the catalog, so what it supports cannot be judged"
        near = did_you_mean(model, facts.catalog.models)
        yield Hit(message, MODEL, help=f"{near} Else describe it in a catalog overlay" if "did you" in near else None)


@rule(
    "model-retired",
    "error",
    "The model is retired, or (warning) will be soon.",
    help="move to a current model",
    source=SDK,
    needs="target",
)
def model_retired(facts: Facts) -> Iterator[Hit]:
    retires = facts.target.facts.retires if facts.target.facts else None
    if retires is None:
        return
    days = (date.fromisoformat(retires) - facts.today).days
    if days <= 0:
        yield Hit(f"{facts.target.model} was retired on {retires}: requests fail with 404", MODEL)
    elif days <= DAYS_AHEAD:
        yield Hit(f"{facts.target.model} retires on {retires}, in {days} day(s)", MODEL, "warning")


@rule(
    "model-caps-null",
    "info",
    "Whether the model or platform supports something the plan uses is unknown, which is not the same as no.",
    help="try it, or lay a live Models API answer or an overlay over the catalog",
    source=MODELS,
    needs="target",
)
def model_caps_null(facts: Facts) -> Iterator[Hit]:
    target = facts.target
    for edit in facts.plan.edits:
        fact = fact_of(facts, edit)
        if target.facts is not None and fact is not None and target.facts.edits.get(edit.type) is None:
            yield Hit(f"whether {target.model} supports {edit.type} is unknown", edit.origin)
        elif fact is not None and target.platform.supports(fact.feature, target.model) is None:
            yield Hit(f"whether {target.platform.title} supports {edit.type} is unknown", edit.origin)
    for edit in thinking_edits(facts):
        if target.facts is not None and target.thinks is None:
            yield Hit(f"whether {target.model} thinks by default is unknown, and {edit.type} needs it to", edit.origin)


@rule(
    "edit-unsupported",
    "error",
    "The model or the platform does not support an edit of the plan.",
    help='leave the edit out for this target with an override, or set on_unsupported to "degrade"',
    source=CONTEXT_EDITING,
    needs="target",
)
def edit_unsupported(facts: Facts) -> Iterator[Hit]:
    for edit in facts.plan.edits:
        fact = fact_of(facts, edit)
        if fact is None:
            continue
        if facts.target.platform_lacks(fact.feature):
            yield Hit(f"{facts.target.platform.title} does not support {edit.type}", edit.origin)
        elif not compacts(fact) and facts.target.model_lacks(edit.type):
            yield Hit(f"{facts.target.model} does not support {edit.type}", edit.origin)


@rule(
    "edit-compact-model",
    "error",
    "The model does not support compaction on a threshold.",
    help='use compaction.mode "client", move to a model that compacts, or set on_unsupported to "degrade"',
    source=COMPACTION,
    needs="target",
)
def edit_compact_model(facts: Facts) -> Iterator[Hit]:
    for edit in compactions(facts):
        if facts.target.model_lacks(edit.type):
            yield Hit(f"{facts.target.model} does not support the {edit.type} context management strategy", edit.origin)


@rule(
    "edit-thinking-requires",
    "error",
    "Thinking is to be cleared, but the request does not think.",
    help="turn thinking on in the request, or leave the edit out with an override for `thinking: off`",
    source=CONTEXT_EDITING,
    needs="target",
)
def edit_thinking_requires(facts: Facts) -> Iterator[Hit]:
    target = facts.target
    if target.thinks is not False:
        return
    asked_not_to = f"thinking is {shown(target.thinking)}"
    why = f"{target.model} thinks only when asked to" if target.thinking == "default" else asked_not_to
    for edit in thinking_edits(facts):
        yield Hit(f"{edit.type} requires thinking to be enabled or adaptive; {why}", edit.origin)


COMPACT_WINDOW = "edit-compact-window"
WINDOW_HELP = "lower the trigger, or give it as a window_fraction"


@rule(
    COMPACT_WINDOW,
    "warning",
    "The compaction trigger is not below the context window, which overflows first.",
    help=WINDOW_HELP,
    source=CONTEXT_WINDOWS,
    needs="target",
)
def compact_window(facts: Facts) -> Iterator[Hit]:
    for edit, trigger, window in _compactions_in_windows(facts):
        if trigger >= window:
            message = f"the compaction trigger of {trigger:,} tokens is not below the window of {window:,}"
            yield Hit(message, asked(edit, "trigger"))


@rule(
    COMPACT_WINDOW,
    "warning",
    "The compaction trigger is not below the context window less max_tokens: a full reply overflows it first.",
    help=WINDOW_HELP,
    source=CONTEXT_WINDOWS,
)
def compact_window_for_reply(facts: Facts) -> Iterator[Hit]:
    output = facts.request.get("max_tokens")
    if not is_whole(output):
        return
    for edit, trigger, window in _compactions_in_windows(facts):
        if window - output <= trigger < window:
            message = (
                f"the compaction trigger of {trigger:,} tokens is not below the window of {window:,} less max_tokens"
            )
            yield Hit(f"{message}, {output:,}", asked(edit, "trigger"))


def _compactions_in_windows(facts: Facts) -> Iterator[tuple[PlannedEdit, int, int]]:
    """Each compaction with its trigger and the model's window, where both are known."""
    window = facts.target.window
    # with compaction off, an edit that a block in the history demands is parked at the window on purpose
    if window is None or facts.plan.policy.get("compaction.mode") == "off":
        return
    for edit in compactions(facts):
        trigger = input_trigger(facts, edit)
        if trigger is not None:
            yield edit, trigger, window


THINKING_CACHE = "edit-thinking-cache"
KEEP_HELP = 'keep "all", unless the room is worth a rewrite of the cache on each turn'


@rule(
    THINKING_CACHE,
    "warning",
    "Thinking is cleared on a model that would keep it all, while the policy has prompts cached.",
    help=KEEP_HELP,
    source=CONTEXT_EDITING,
    needs="target",
)
def thinking_cache(facts: Facts) -> Iterator[Hit]:
    if asks_for_cache(facts):
        yield from _clears_what_would_stay(facts)


@rule(
    THINKING_CACHE,
    "warning",
    "Thinking is cleared on a model that would keep it all, while the request has cache marks of its own.",
    help=KEEP_HELP,
    source=CONTEXT_EDITING,
)
def thinking_cache_for_marks(facts: Facts) -> Iterator[Hit]:
    if only_caller_caches(facts):
        yield from _clears_what_would_stay(facts)


def _clears_what_would_stay(facts: Facts) -> Iterator[Hit]:
    if facts.target.facts is None or facts.target.facts.keeps_thinking != "all":
        return
    for edit in thinking_edits(facts):
        keep = amount(edit.params.get("keep"))
        if keep is not None:
            loss = f"{facts.target.model} would keep all: each new turn loses the cache from the first cleared one on"
            yield Hit(f"{edit.type} keeps {keep.value:,} turn(s) of thinking where {loss}", asked(edit, "keep"))


@rule(
    "haiku55-tier",
    "warning",
    "Prompts grow past the size up to which the model is cheap, or this one is.",
    help="clear or compact below that size: the higher rate holds for every token of such a request",
    source=MODELS,
    needs="target",
)
def tier_by_trigger(facts: Facts) -> Iterator[Hit]:
    prices = facts.target.facts.prices if facts.target.facts else ()
    triggers = [(trigger, edit) for edit in facts.plan.edits if (trigger := input_trigger(facts, edit)) is not None]
    if len(prices) < 2 or prices[0].up_to is None or not triggers:
        return
    lowest, edit = min(triggers, key=lambda pair: pair[0])
    if lowest > prices[0].up_to:
        costs = f"{facts.target.model} costs {prices[1].input / prices[0].input:g} times as much"
        message = f"nothing is cleared or compacted before {lowest:,} tokens; above {prices[0].up_to:,}, {costs}"
        yield Hit(message, asked(edit, "trigger"))
