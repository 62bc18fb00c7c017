"""What happens to a request: refused, or what reaches the model, with what the edits did and whether it compacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ctxengine.catalog import Catalog, default_catalog
from ctxengine.catalog.facts import ModelFact
from ctxengine.check import Facts
from ctxengine.conversation import THINKING, blocks_of, field_of
from ctxengine.edits.clear_thinking_effect import LAST_TURN
from ctxengine.edits.compact_effect import from_newest_block
from ctxengine.edits.effect import START, Count, blocks_from, without_blocks
from ctxengine.edits.switches import Switches
from ctxengine.errors import RequestError
from ctxengine.semantics.applying import Applied, apply_edits, counter_of, edits_of
from ctxengine.semantics.binding import check_bound
from ctxengine.semantics.compacting import Due, due
from ctxengine.semantics.signatures import Signer
from ctxengine.semantics.wire import WireError, facts_of, refusal, refusal_of, refusals

FAULTS = {"signature": "odc-tamper", "content": "odc-tamper:content", "tool-changes": "odc-tamper:tool-changes"}
OVERFLOW_STOP = "overflow_stop"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API does with one request before the model writes."""

    request: Mapping[str, Any]
    """What the model reads: edited, without what stands before the newest compaction block."""
    error: WireError | None = None
    applied_edits: tuple[Mapping[str, Any], ...] = ()
    cleared_tool_use_ids: tuple[str, ...] = ()
    original_tokens: int = 0
    """Input tokens before edits: ``original_input_tokens`` of count_tokens."""
    input_tokens: int = 0
    """Input tokens after edits, before a compaction."""
    compaction: Due | None = None
    on_demand: bool = False
    """The compaction was asked for by the ``compaction`` argument, and is all that the response holds."""
    input_transformations: tuple[Mapping[str, Any], ...] = ()
    """Replayed thinking that did not fit, with what was done about it."""
    room: int | None = None
    """Tokens left in the window for the reply, where that is less than ``max_tokens``: a longer one stops with
    ``model_context_window_exceeded``."""


@dataclass(frozen=True, slots=True)
class World:
    """What the answer hangs on beside the request."""

    catalog: Catalog
    platform: str | None = None
    surface: str = "create"
    count: Count | None = None
    """Tokens of any JSON value; the calibrated estimate by default."""
    switches: Switches | Mapping[str, str] | None = None
    signer: Signer | None = None
    """Reads our own signatures; without one no signature is looked at."""
    binds: bool = True
    """Whether thinking after another prefix is refused where the request does not say; accounts made before
    2026-08-31 were not bound by default."""
    today: date | None = None


def outcome(request: Mapping[str, Any], world: World | None = None) -> Outcome:
    """What the API does with ``messages.create`` keyword arguments; with ``surface`` count_tokens nothing compacts."""
    world = world or World(default_catalog())
    try:
        facts = facts_of(request, world.catalog, platform=world.platform, surface=world.surface, today=world.today)
    except RequestError as error:
        return Outcome(request, refusal(world.catalog, "request-shape", said=error.findings[0].message))
    request = {**request, "messages": facts.conversation.messages} if request.get("messages") else request
    refused = _nothing_to_summarise(request, world) or next(refusals(facts), None) or _tampered(request, world)
    if refused:
        return Outcome(request, refused)
    try:
        return _bound(request, facts, world)
    except RequestError as error:
        return Outcome(request, refusal_of(error.findings[0], facts))


def _nothing_to_summarise(request: Mapping[str, Any], world: World) -> WireError | None:
    asked = request.get("compaction") is not None and world.surface != "count_tokens"
    said = any(blocks_of(each) for each in request.get("messages") or () if field_of(each, "role") != "system")
    return refusal(world.catalog, "odc-nothing") if asked and not said else None


def _tampered(request: Mapping[str, Any], world: World) -> WireError | None:
    """A signed compaction block that is not what was signed."""
    for (index, at), block in blocks_from(request.get("messages") or (), START) if world.signer else ():
        if field_of(block, "type") == "compaction" and field_of(block, "signature") is not None and world.signer:
            fault = world.signer.summary_fault(block)
            if fault:
                return refusal(world.catalog, FAULTS[fault], path=f"messages.{index}.content.{at}")
    return None


def _bound(request: Mapping[str, Any], facts: Facts, world: World) -> Outcome:
    """Replayed thinking is checked, also what stands before it where the model does so; the rest of the answer follows.

    Where nothing hangs on what stands before it, signatures that are not ours pass: a test may bring any history along.
    """
    model = facts.target.facts
    if world.signer is None:
        return _fitted(edited(request, model, world), facts, world)
    checked = model is not None and model.prefix_checked is True
    unbound = check_bound(request, world.signer if checked else replace(world.signer, foreign=True))
    forged = next((each for each in unbound if each.reason == "signature"), None)
    if forged:
        return Outcome(request, refusal(world.catalog, "bind-tamper", path=forged.path))
    if not checked or not unbound:
        return _fitted(edited(request, model, world), facts, world)
    asked = _behaviour(request) or ("error" if world.binds or (model and model.bound_everywhere) else "allow")
    if asked == "error":
        return Outcome(request, refusal(world.catalog, "bind-edit", path=unbound[0].path))
    kind = "thinking_dropped" if asked == "drop_block" else "thinking_mismatch_allowed"
    said = tuple({"type": kind, "path": each.path, "reason": "prefix_binding_mismatch"} for each in unbound)
    if asked == "drop_block":
        gone = [(each.message, each.block) for each in unbound]
        request = {**request, "messages": without_blocks(request["messages"], gone)}
    return replace(_fitted(edited(request, model, world), facts, world), input_transformations=said)


def _behaviour(request: Mapping[str, Any]) -> Any:
    return field_of(field_of(request.get("thinking"), "block_binding"), "prefix_mismatch_behavior")


def edited(request: Mapping[str, Any], model: ModelFact | None, world: World) -> Outcome:
    """What of a request reaches the model: what it does not read, what is cleared, and what stands before a compaction
    block is gone."""
    request = _as_read(request, model, world.catalog)
    count = counter_of(world.count, world.catalog, model)
    opening = world.catalog.opening_tokens
    applied = apply_edits(request, count=world.count, switches=world.switches, catalog=world.catalog, opening=opening)
    compaction, on_demand = _compaction(request, applied, count, world)
    return Outcome(
        {**applied.request, "messages": from_newest_block(applied.request.get("messages") or ())},
        applied_edits=applied.applied_edits,
        cleared_tool_use_ids=applied.cleared_tool_use_ids,
        original_tokens=applied.original_tokens,
        input_tokens=applied.input_tokens,
        compaction=compaction,
        on_demand=on_demand,
    )


def _compaction(request: Mapping[str, Any], applied: Applied, count: Count, world: World) -> tuple[Due | None, bool]:
    asked = request.get("compaction")
    if world.surface == "count_tokens":
        return None, False
    if not isinstance(asked, Mapping):
        return applied.compaction, False
    return due(applied.input_tokens, asked.get("instructions"), count, world.catalog, pause=True), True


def _fitted(made: Outcome, facts: Facts, world: World) -> Outcome:
    """The context window: too long a prompt is refused; too long a reply is too, or stops."""
    model, most = facts.target.facts, facts.request.get("max_tokens")
    if model is None or model.window is None:
        return made
    tokens, window = made.input_tokens, model.window
    if tokens > window:
        error = refusal(world.catalog, "overflow-input", tokens=tokens, window=window)
        return replace(made, error=error)
    if not isinstance(most, int) or tokens + most <= window or made.compaction is not None:
        return made
    asked_to_stop = set(world.catalog.betas_for(OVERFLOW_STOP)) & set(facts.plan.beta_names)
    if model.overflow_stops is not False or asked_to_stop:
        return replace(made, room=window - tokens)
    return replace(made, error=refusal(world.catalog, "overflow-out", tokens=tokens, max_tokens=most, window=window))


def _as_read(request: Mapping[str, Any], model: ModelFact | None, catalog: Catalog) -> Mapping[str, Any]:
    """Models that keep the last turn's thinking alone never read what stands before the newest question."""
    clears = any(
        (fact := catalog.edits.get(str(field_of(edit, "type")))) and fact.needs_thinking for edit in edits_of(request)
    )
    if clears or model is None or model.keeps_thinking != LAST_TURN:
        return request
    messages = request.get("messages") or ()
    question = max((index for index, message in enumerate(messages) if _asks(message)), default=0)
    gone = [at for at, block in blocks_from(messages[:question], START) if field_of(block, "type") in THINKING]
    return {**request, "messages": without_blocks(messages, gone)} if gone else request


def _asks(message: Any) -> bool:
    """Whether a message is a question of the user's own, not only the results of tools."""
    return field_of(message, "role") == "user" and any(
        field_of(block, "type") != "tool_result" for block in blocks_of(message)
    )
