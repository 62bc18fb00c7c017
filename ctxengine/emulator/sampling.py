"""One message: compactions, sampling passes, and what they cost."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from ctxengine.conversation import SERVER_RESULTS
from ctxengine.edits.effect import Count
from ctxengine.emulator.cutting import Cut, cut_at_stop, cut_to
from ctxengine.emulator.replies import Reply
from ctxengine.emulator.summary import summarise
from ctxengine.semantics import (
    Due,
    Outcome,
    Signer,
    World,
    asked_for_summary,
    compacted,
    edited,
    signed,
    summarised,
    switches_of,
)
from ctxengine.semantics.cache import CacheRequest, CacheUse, Mark, PromptCache
from ctxengine.semantics.cache_prompt import PromptReader
from ctxengine.semantics.cache_rules import CacheRules
from ctxengine.semantics.usage import iteration
from ctxengine.target import Target

REFUSED, NULL, CUT_OFF = "refuse-compaction", "null-compaction", "truncate-summary"
REFUSAL: Final = "refusal"
WINDOW_ENDS = "model_context_window_exceeded"
ON_DEMAND_ENDS: Mapping[str, Literal["refusal", "end_turn", "max_tokens"]] = {
    REFUSED: REFUSAL,
    NULL: "end_turn",
    CUT_OFF: "max_tokens",
}
Strike = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a message is made on: the world, the model, the cache and its rules for it, and who asks."""

    world: World
    count: Count
    signer: Signer
    target: Target
    cache: PromptCache
    rules: CacheRules
    owner: str
    now: float

    def output(self, block: Mapping[str, Any]) -> int:
        """Tokens of a block that the model writes: what a server tool brings is none of them."""
        return 0 if _is_server_result(block) else self.count(block)

    def prompt(self, read: Mapping[str, Any]) -> CacheRequest:
        """A request that reaches the model, in the terms of the cache."""
        switches = switches_of(self.world.switches, self.world.catalog)
        return PromptReader(self.count, switches).read(read, self.target.model, self.rules, key=self.owner)


@dataclass(slots=True)
class Written:
    """A message as far as it is written."""

    content: list[Mapping[str, Any]] = field(default_factory=list)
    iterations: list[dict[str, Any]] = field(default_factory=list)
    applied_edits: tuple[Mapping[str, Any], ...] = ()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    spoken: bool = False
    """Whether the scripted reply was played to its end."""
    rest: Reply | None = None
    """What of the reply comes after a pause in its midst."""


def sample(kwargs: Mapping[str, Any], found: Outcome, reply: Reply, ground: Ground, strike: Strike) -> Written:
    """What the API answers to a request that it takes.

    Args:
        kwargs: the request as sent.
        found: what becomes of it before the model writes.
        strike: asked before every compaction, tells what goes wrong with it: one of ``faults.COMPACTION``, or nothing.
    """
    made = Written(applied_edits=found.applied_edits, spoken=not reply.content)
    if found.on_demand and found.compaction:
        _summarise_on_demand(kwargs, found, found.compaction, reply, ground, strike(), made)
        return made
    cut, base, read = _limited(kwargs, found, reply, ground), kwargs, found.request
    pieces = list(_pieces(cut.content)) or [()]
    for number, (piece, tokens) in enumerate(zip(pieces, _shared_out(cut.tokens, pieces, ground), strict=True)):
        if number:  # the edits again, and perhaps another compaction, before the model writes on
            found = edited(base, ground.target.facts, ground.world)
            read, made.applied_edits = found.request, found.applied_edits or made.applied_edits
        if found.compaction:
            base = read = _compact(read, found.compaction, reply, ground, strike(), made)
            if made.stop_reason:
                made.rest = _rest(reply, pieces[:number], made) if number and made.stop_reason != REFUSAL else None
                return made
        elif number and (room := _room(found, ground)) < tokens:
            short = cut_to(Cut(piece, tokens, cut.stop_reason), max(room, 0), WINDOW_ENDS, ground.output)
            if short.content:
                _write(kwargs, read, short, ground, made)
            made.spoken, made.stop_reason = True, WINDOW_ENDS
            return made
        base = _going_on(base, _write(kwargs, read, Cut(piece, tokens, cut.stop_reason), ground, made))
    made.spoken = kwargs["max_tokens"] > 0  # a request that only warms the cache leaves the script as it is
    made.stop_reason, made.stop_sequence = cut.stop_reason, cut.stop_sequence
    return made


def _rest(reply: Reply, played: Sequence[Sequence[Mapping[str, Any]]], made: Written) -> Reply:
    """The reply without the passes that have been played, and without their tokens."""
    tokens = reply.output_tokens
    if tokens is not None:
        tokens = max(0, tokens - sum(each["output_tokens"] for each in made.iterations if each["type"] == "message"))
    return replace(reply, content=reply.content[sum(map(len, played)) :], output_tokens=tokens)


def _write(
    kwargs: Mapping[str, Any], read: Mapping[str, Any], piece: Cut, ground: Ground, made: Written
) -> Sequence[Mapping[str, Any]]:
    """One pass of the model; the blocks that it adds."""
    begun, goes_on = len(made.content), any(each["type"] == "message" for each in made.iterations)
    for block in piece.content:
        made.content.append(signed(kwargs, made.content, block, ground.signer))
    use = _taken(_read(read, ground, goes_on=goes_on), ground, piece.stop_reason == REFUSAL)
    made.iterations.append(iteration("message", use, piece.tokens))
    return made.content[begun:]


def _room(found: Outcome, ground: Ground) -> int:
    """Tokens that what server tools brought leaves the model to write on."""
    window = ground.target.facts.window if ground.target.facts else None
    return sys.maxsize if window is None else window - found.input_tokens


def _compact(
    read: Mapping[str, Any], due: Due, reply: Reply, ground: Ground, fault: str | None, made: Written
) -> Mapping[str, Any]:
    """A threshold compaction; what the model reads next."""
    summary = None if fault in (NULL, REFUSED) else _summary(read, due, reply, ground)
    if summary and fault == CUT_OFF:
        summary = summary[: len(summary) // 2]
    done = compacted(read, summary, pause=due.pause, refused=fault == REFUSED)
    made.iterations.append(_summary_pass(read, due, ground, ground.count(summary) if summary else 0, fault))
    if done.block is not None:
        made.content.append(done.block)
    made.stop_reason = done.stop_reason
    if fault == REFUSED:
        made.iterations.append(iteration("message", CacheUse(0, 0, 0, 0), 0))
    return done.request or read


def _summarise_on_demand(
    kwargs: Mapping[str, Any], found: Outcome, due: Due, reply: Reply, ground: Ground, fault: str | None, made: Written
) -> None:
    summary = _summary(found.request, due, reply, ground)
    tokens = ground.count(summary)
    if fault is None and tokens > kwargs["max_tokens"]:
        fault = CUT_OFF
    because = ON_DEMAND_ENDS[fault or NULL]
    done = summarised(kwargs, None if fault else summary, ground.signer, because=because)
    made.content += [done.block] if done.block else []
    made.stop_reason = done.stop_reason
    made.iterations.append(_summary_pass(found.request, due, ground, min(tokens, kwargs["max_tokens"]), fault))


def _summary(read: Mapping[str, Any], due: Due, reply: Reply, ground: Ground) -> str:
    return reply.summary or summarise(read["messages"], due.prompt_tokens, ground.count)


def _summary_pass(read: Mapping[str, Any], due: Due, ground: Ground, tokens: int, fault: str | None) -> dict[str, Any]:
    use = _taken(asked_for_summary(ground.prompt(read), due.asking_tokens, ground.rules), ground, fault == REFUSED)
    return iteration("compaction", use, tokens)


def _read(read: Mapping[str, Any], ground: Ground, *, goes_on: bool) -> CacheRequest:
    """A prompt that the model writes on from.

    A pass that ``goes_on`` after server tools writes what they added where the request has marks at all, as recorded.
    """
    asked = ground.prompt(read)
    if goes_on and asked.marks and asked.marks[-1].block < len(asked.prompt.ids) - 1:
        return asked._replace(marks=[*asked.marks, Mark(len(asked.prompt.ids) - 1, asked.marks[-1].ttl)])
    return asked


def _taken(asked: CacheRequest, ground: Ground, refused: bool) -> CacheUse:
    """What the cache gives and takes for a prompt; of a refused one, it may keep nothing."""
    use = ground.cache.use(asked, ground.rules, ground.now)
    ground.cache.keep(use, ground.now, readable=ground.rules.keeps_refused or not refused)
    return use


def _going_on(base: Mapping[str, Any], written: Sequence[Any]) -> Mapping[str, Any]:
    """The request with what the model has written since, in one assistant message."""
    messages = list(base["messages"])
    if messages and messages[-1]["role"] == "assistant" and isinstance(messages[-1]["content"], list):
        messages[-1] = {**messages[-1], "content": [*messages[-1]["content"], *written]}
    else:
        messages.append({"role": "assistant", "content": list(written)})
    return {**base, "messages": messages}


def _limited(kwargs: Mapping[str, Any], found: Outcome, reply: Reply, ground: Ground) -> Cut:
    """The reply up to its stop sequence, max_tokens, or the end of the window."""
    kinds = {block["type"] for block in reply.content}
    reason = reply.stop_reason or ("tool_use" if "tool_use" in kinds else "end_turn")
    if not kwargs["max_tokens"]:
        return Cut((), 0, "max_tokens")  # only the cache is warmed
    counted = max(sum(map(ground.output, reply.content)), min(len(reply.content), 1))
    tokens = counted if reply.output_tokens is None else reply.output_tokens
    whole = cut_at_stop(Cut(reply.content, tokens, reason), kwargs.get("stop_sequences") or (), ground.output)
    if found.room is not None and found.room < kwargs["max_tokens"]:
        return cut_to(whole, max(found.room, 0), WINDOW_ENDS, ground.output)
    return cut_to(whole, kwargs["max_tokens"], "max_tokens", ground.output)


def _shared_out(tokens: int, pieces: Sequence[Sequence[Mapping[str, Any]]], ground: Ground) -> Iterator[int]:
    """Output tokens of each pass: as counted, but never more in all than the reply has."""
    for piece in pieces[:-1]:
        size = min(sum(map(ground.output, piece)), tokens)
        tokens -= size
        yield size
    yield tokens


def _pieces(content: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """The content by sampling passes: after the results of server tools the model reads on."""
    piece: list[Mapping[str, Any]] = []
    for block in content:
        if piece and _is_server_result(piece[-1]) and not _is_server_result(block):
            yield tuple(piece)
            piece = []
        piece.append(block)
    if piece:
        yield tuple(piece)


def _is_server_result(block: Mapping[str, Any]) -> bool:
    return block["type"] in SERVER_RESULTS
