"""What becomes of a request when its conversation is summarised, or when that fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ctxengine.catalog import Catalog
from ctxengine.edits.compact_effect import replaced_by
from ctxengine.edits.effect import Count
from ctxengine.semantics.binding import chain_of
from ctxengine.semantics.cache import CacheRequest
from ctxengine.semantics.cache_rules import CacheRules
from ctxengine.semantics.signatures import Signer

SCALE, POWER = 26.6, 0.347
"""Fitted to six recorded summaries of 828 to 169,000 tokens of conversation: least squares in logarithms."""
SHORTEST, LONGEST = 81, 2839
"""The recorded summaries lie between these, in tokens."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """One compaction of a request."""

    block: Mapping[str, Any] | None
    """What the response's content starts with; ``None`` where there is none."""
    request: Mapping[str, Any] | None
    """What the model reads next; ``None`` where the response ends here."""
    stop_reason: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A compaction that the request sets off."""

    prompt_tokens: int
    """What the model would have read."""
    asking_tokens: int
    """Of what asks for the summary, behind the prompt."""
    instructions: str | None
    """The request's own; ``None`` where the API's words ask."""
    pause: bool


def due(prompt_tokens: int, instructions: Any, count: Count, catalog: Catalog, *, pause: bool) -> Due:
    """A compaction of so many tokens; blank instructions are none."""
    if isinstance(instructions, str) and instructions.strip():
        return Due(prompt_tokens, count(instructions), instructions, pause)
    return Due(prompt_tokens, int(catalog.limit("compaction.own_prompt").at_most or 0), None, pause)


def asked_for_summary(asked: CacheRequest, asking_tokens: int, rules: CacheRules) -> CacheRequest:
    """A prompt as its summary is asked for: what asks stands where the answer would be opened."""
    return asked._replace(total=asked.total - rules.opening_tokens + asking_tokens)


def summary_size(tokens: int) -> int:
    """How long a summary of so many tokens of conversation comes out."""
    return max(SHORTEST, min(LONGEST, int(SCALE * math.pow(tokens, POWER))))


def compacted(
    request: Mapping[str, Any], content: str | None, *, pause: bool = False, refused: bool = False
) -> Compacted:
    """A threshold compaction with its summary; with ``None`` it failed, and the model reads on as before."""
    block = {"type": "compaction", "content": None if refused else content}
    if refused:
        return Compacted(block, None, "refusal")
    if pause:
        return Compacted(block, None, "compaction")
    return Compacted(block, request if content is None else {**request, "messages": replaced_by(block)}, None)


def summarised(
    request: Mapping[str, Any],
    content: str | None,
    signer: Signer,
    *,
    because: Literal["max_tokens", "model_context_window_exceeded", "tool_use", "refusal", "end_turn"] = "end_turn",
) -> Compacted:
    """An on-demand compaction: one signed block, or an empty answer with the reason there is none."""
    if not content:
        return Compacted(None, None, because)
    chain = chain_of(request.get("messages") or (), signer)
    block = {"type": "compaction", "content": content, "signature": signer.summary(content, chain)}
    return Compacted(block, None, "compaction")
