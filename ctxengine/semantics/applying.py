"""The edits of one request, in order: what they clear, what they report, and whether a compaction is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.catalog.facts import ModelFact
from ctxengine.conversation import field_of
from ctxengine.edits import ClearThinking, ClearToolUses, Compact, type_of
from ctxengine.edits.clear_thinking_effect import clear_thinking
from ctxengine.edits.clear_tool_uses_effect import clear_tool_uses
from ctxengine.edits.compact_effect import from_newest_block, is_due, newest_block
from ctxengine.edits.effect import START, Count, Effect
from ctxengine.edits.shapes import refuse_odd_shapes
from ctxengine.edits.switches import Switches, switches_of
from ctxengine.request import with_content_lists
from ctxengine.semantics.compacting import Due, due
from ctxengine.semantics.prefixes import as_read
from ctxengine.tokens import CalibratedCounter, measure


@dataclass(frozen=True, slots=True)
class Applied:
    """A request after its edits; whatever they did not change is the caller's own object."""

    request: Mapping[str, Any]
    """Indexes are the caller's: what stands before a compaction block is not read, but still there."""
    applied_edits: tuple[Mapping[str, Any], ...] = ()
    """As ``context_management.applied_edits`` of the response; a compaction never appears there."""
    cleared_tool_use_ids: tuple[str, ...] = ()
    original_tokens: int = 0
    """Input tokens before the edits, from the newest compaction block on."""
    input_tokens: int = 0
    """Input tokens after the edits that clear."""
    compaction: Due | None = None


@dataclass(frozen=True, slots=True)
class _Given:
    count: Count
    switches: Switches
    model: ModelFact | None
    catalog: Catalog
    raw_tokens: int
    """Of everything that was sent, with what no model reads any more."""
    opening: int


def apply_edits(
    request: Mapping[str, Any],
    *,
    count: Count | None = None,
    switches: Switches | Mapping[str, str] | None = None,
    catalog: Catalog | None = None,
    opening: int = 0,
) -> Applied:
    """What the API makes of ``context_management.edits``, in the order they stand in.

    The request is taken to be one that the API accepts (``outcome`` judges that); edits the code does not model do
    nothing. A compaction that is due ends the list: what follows it finds a history of one block.

    Args:
        request: ``messages.create`` keyword arguments; never changed.
        count: tokens of any JSON value; the calibrated estimate for the request's model by default.
        switches: values for disputed points in place of the catalog's, by name.
        opening: input tokens that are in no part of the request: those that open the answer.

    Raises:
        RequestError: a field of an edit has a shape that the API refuses.
        CatalogError: there is no such switch or value.
    """
    catalog = catalog or default_catalog()
    model = catalog.find_model(str(request.get("model") or "")).facts
    count = counter_of(count, catalog, model)
    messages: Sequence[Any] = request.get("messages") or ()
    if not isinstance(messages, Sequence):
        messages = with_content_lists(list(messages))
        request = {**request, "messages": messages}
    block = newest_block(messages)
    original = prompt_tokens(request, from_newest_block(messages), count) + opening
    raw = prompt_tokens(request, messages, count) + opening if block else original
    given = _Given(count, switches_of(switches, catalog), model, catalog, raw, opening)
    state = Applied(request, original_tokens=original, input_tokens=original)
    for index, edit in enumerate(edits_of(request)):
        kind = field_of(edit, "type")
        step, fact = STEPS.get(str(kind)), catalog.edits.get(str(kind))
        if step and fact and state.compaction is None:
            params = {"type": fact.type, **fact.filled({name: field_of(edit, name) for name in fact.parameters})}
            refuse_odd_shapes(params, f"context_management.edits.{index}")
            state = step(state, params, given)
    return state


def counter_for(catalog: Catalog, model: ModelFact | None) -> Count:
    """The engine's own counter for a model, of any value."""
    sizes = CalibratedCounter(catalog.tokenizers)
    return lambda value: sizes.estimate(measure(value), model).tokens


def counter_of(count: Count | None, catalog: Catalog, model: ModelFact | None) -> Count:
    """A caller's counter, which is given what the model reads as plain JSON; else the engine's own."""
    if count is None:
        return counter_for(catalog, model)
    return lambda value: count(as_read(value))


def prompt_tokens(request: Mapping[str, Any], messages: Sequence[Any], count: Count) -> int:
    """Tokens of system, tools and messages together."""
    return sum(count(part) for part in (request.get("system"), request.get("tools"), messages) if part)


def edits_of(request: Mapping[str, Any]) -> Sequence[Any]:
    management = request.get("context_management")
    edits = management.get("edits") if isinstance(management, Mapping) else None
    return edits if isinstance(edits, (list, tuple)) else ()


def _clear_thinking(state: Applied, params: Mapping[str, Any], given: _Given) -> Applied:
    messages = state.request["messages"]
    default = given.model.keeps_thinking if given.model else None
    start = newest_block(messages) or START
    effect = clear_thinking(messages, params, start=start, default=default, count=given.count, switches=given.switches)
    return _after(state, effect, state.input_tokens - effect.freed)


def _clear_tool_uses(state: Applied, params: Mapping[str, Any], given: _Given) -> Applied:
    messages, switches = state.request["messages"], given.switches
    reads_all = switches["clear_tool_uses.history_before_block"] == "read"
    sent = given.raw_tokens if reads_all else state.original_tokens
    effect = clear_tool_uses(
        messages,
        params,
        start=START if reads_all else newest_block(messages) or START,
        prompt_tokens=sent - (state.original_tokens - state.input_tokens) if switches.judges_what_is_left else sent,
        count=given.count,
        switches=switches,
    )
    # what is cleared before a block was not in the prompt any more
    left = state.input_tokens - effect.freed
    if reads_all:
        left = prompt_tokens(state.request, from_newest_block(effect.messages), given.count) + given.opening
    return _after(state, effect, left)


def _compact(state: Applied, params: Mapping[str, Any], given: _Given) -> Applied:
    if not is_due(params, state.input_tokens):
        return state
    pause = bool(params["pause_after_compaction"])
    return replace(
        state, compaction=due(state.input_tokens, params.get("instructions"), given.count, given.catalog, pause=pause)
    )


STEPS: Mapping[str, Callable[[Applied, Mapping[str, Any], _Given], Applied]] = {
    type_of(ClearThinking): _clear_thinking,
    type_of(ClearToolUses): _clear_tool_uses,
    type_of(Compact): _compact,
}


def _after(state: Applied, effect: Effect, input_tokens: int) -> Applied:
    if effect.applied is None:
        return state
    return replace(
        state,
        request={**state.request, "messages": effect.messages},
        applied_edits=(*state.applied_edits, effect.applied),
        cleared_tool_use_ids=(*state.cleared_tool_use_ids, *effect.tool_use_ids),
        input_tokens=input_tokens,
    )
